// SPDX-License-Identifier: Apache-2.0
//
// Bytes follow from the operands, blocks and operations from the contract; a test holds all of them
// against dev.weft.device.Cost.
#include "timed_cases.h"

#include <algorithm>

#include "timed_table.h"

namespace weft::harness {

namespace {

constexpr int64_t COLS = 1024;

struct Function {
  const char* name;
  int64_t number;
  double alpha = 0;
};

// How many parts dev.weft.op.Reduction cuts a sum into.
int64_t parts(int64_t outer, int64_t count, int64_t inner) {
  int64_t most = inner == 1 ? std::min<int64_t>(32 * 396 / outer, count / 1024)
                            : std::min<int64_t>(396, outer * count * inner / 4096) /
                                  std::max<int64_t>(1, (outer * inner + 31) / 32);
  return std::max<int64_t>(1, std::min(most, count / 16));
}

void activations(Table& t) {
  int64_t r = t.rows(COLS), c = COLS, n = r * c;
  t.repeat(r, c);
  const Function functions[] = {
      {"relu", WEFT_RELU}, {"tanh", WEFT_TANH}, {"gelu", WEFT_GELU}, {"silu", WEFT_SILU}};
  for (auto f : functions)
    t.call(
        "bias_activation_forward", f.name,
        weft_bias_activation_forward{t.in("x", n), t.in("b", c), t.out("y", n), r, c, f.number, 0});
  int64_t sums = parts(1, r, c);
  t.repeat(r, c, sums);
  for (auto f : functions) {
    bool of_x = f.number == WEFT_GELU || f.number == WEFT_SILU;
    auto x = [&] { return of_x ? t.in("x", n) : nullptr; };
    auto b = [&] { return of_x ? t.in("b", c) : nullptr; };
    auto y = [&] { return of_x ? nullptr : t.in("y", n); };
    t.call("bias_activation_backward", f.name,
           weft_bias_activation_backward{x(), b(), y(), t.in("dy", n), t.out("dx", n), r, c,
                                         f.number, 0, 0});
    t.call("bias_activation_gradients", f.name,
           weft_bias_activation_gradients{x(), b(), y(), t.in("dy", n), t.out("dx", n),
                                          t.sums("db", sums, c), r, c, sums, f.number, 0, 0});
  }
}

void losses(Table& t) {
  for (int64_t c : {10, 1000, 2048, 32000}) {
    int64_t r = t.rows(c), n = r * c;
    t.repeat(r, c);
    t.call("softmax_cross_entropy", std::to_string(c) + " classes",
           weft_softmax_cross_entropy{t.in("x", n), t.labels(r, c), t.wide_out("losses", r),
                                      t.out("dx", n), t.wide_out("hits", r), r, c, 0,
                                      1.0 / (double)r});
  }
}

void norms(Table& t) {
  int64_t r = t.rows(COLS), c = COLS, n = r * c;
  t.repeat(r, c);
  t.call("layer_norm_forward", "",
         weft_layer_norm_forward{t.in("x", n), t.in("scale", c), t.in("shift", c), t.out("y", n),
                                 t.wide_out("mean", r), t.wide_out("rstd", r), r, c, 1e-5});
  int64_t sums = parts(1, r, c);
  t.repeat(r, c, sums);
  t.call("layer_norm_backward", "",
         weft_layer_norm_backward{t.in("x", n), t.in("scale", c), t.wide_in("mean", r),
                                  t.wide_in("rstd", r), t.in("dy", n), t.out("dx", n),
                                  t.sums("dscale", sums, c), t.sums("dshift", sums, c), r, c, sums,
                                  0, 0, 0});
}

void elementwise(Table& t) {
  int64_t r = t.rows(COLS), c = COLS, n = r * c;
  t.repeat(r, c);
  t.call("dropout", "", weft_dropout{t.in("x", n), t.random_out("y", n), t.state(), n, 0, 0.2, 0});
  for (auto f : {Function{"exp", WEFT_EXP},
                 {"log", WEFT_LOG},
                 {"pow", WEFT_POW, 1.5},
                 {"square", WEFT_SQUARE}}) {
    bool of_y = f.number == WEFT_EXP;  // its derivative
    t.call("unary_forward", f.name,
           weft_unary_forward{t.positive("x", n), t.out("y", n), n, f.number, f.alpha});
    t.call("unary_backward", f.name,
           weft_unary_backward{of_y ? nullptr : t.positive("x", n),
                               of_y ? t.positive("y", n) : nullptr, t.in("dy", n), t.out("dx", n),
                               n, f.number, f.alpha, 0});
  }
  auto binary = [&](const char* name, int64_t f, int64_t b_row, int64_t b_col, int64_t count) {
    t.call("binary_forward", name,
           weft_binary_forward{t.in("a", n), t.positive("b", count), t.out("y", n), 1, 1, r, c, 0,
                               0, c, 1, 0, 0, b_row, b_col, f});
  };
  binary("add", WEFT_ADD, c, 1, n);
  binary("add a row", WEFT_ADD, 0, 1, c);
  binary("add a column", WEFT_ADD, 1, 0, r);
  binary("divide", WEFT_DIVIDE, c, 1, n);
  auto binary_backward = [&](const char* name, int64_t f, void* (Table::*b)(const char*, int64_t)) {
    t.call("binary_backward", name,
           weft_binary_backward{t.in("a", n),
                                (t.*b)("b", n),
                                t.in("dy", n),
                                t.out("da", n),
                                t.out("db", n),
                                1,
                                1,
                                r,
                                c,
                                0,
                                0,
                                c,
                                1,
                                0,
                                0,
                                c,
                                1,
                                f,
                                0,
                                0});
  };
  binary_backward("multiply", WEFT_MULTIPLY, &Table::in);
  binary_backward("divide", WEFT_DIVIDE, &Table::positive);
  t.call("fill", "", weft_fill{t.out("y", n), n, 1});
  t.call("copy_rows", "", weft_copy_rows{t.in("x", n), t.out("y", n), r, c, c, c, 1, 0});
  t.call("copy_rows",
         "scaled, +=", weft_copy_rows{t.in("x", n), t.inout("y", n), r, c, c, c, 0.0625, 1});
  t.call("transpose", "", weft_transpose{t.in("x", n), t.transposed_out("y", n), r, c, 0});
}

void reductions(Table& t) {
  int64_t r = t.rows(COLS), c = COLS, n = r * c;
  auto reduce = [&](const char* name, int64_t outer, int64_t count, int64_t inner, int64_t f) {
    int64_t stages = parts(outer, count, inner);
    outer == 1 ? t.repeat(count, inner, stages) : t.repeat(outer, count);
    void* x = t.in("x", n);
    void* y = outer == 1 ? t.sums("y", stages, inner) : t.wide_out("y", stages * outer * inner);
    t.call("reduce", name, weft_reduce{x, y, outer, count, inner, stages, f, 1, 0});
  };
  reduce("sum of rows", r, c, 1, WEFT_SUM);
  reduce("max of rows", r, c, 1, WEFT_MAX);
  reduce("sum of columns", 1, r, c, WEFT_SUM);
  reduce("sum of all", 1, n, 1, WEFT_SUM);
  reduce("squares of all", 1, n, 1, WEFT_SUM_OF_SQUARES);
  t.repeat(r, c);
  for (bool of_rows : {true, false}) {
    int64_t outer = of_rows ? r : 1, count = of_rows ? c : r, inner = of_rows ? 1 : c;
    t.call("reduce_backward", of_rows ? "sum of rows" : "sum of columns",
           weft_reduce_backward{nullptr, t.wide_in("dy", outer * inner), t.out("dx", n), outer,
                                count, inner, WEFT_SUM, 1, 0});
    t.call(
        "max_backward", of_rows ? "of rows" : "of columns",
        weft_max_backward{t.in("x", n), t.wide_in("y", outer * inner),
                          t.wide_in("dy", outer * inner), t.out("dx", n), outer, count, inner, 0});
  }
}

void rows(Table& t) {
  int64_t r = t.rows(COLS), c = COLS, n = r * c;
  t.repeat(r, c);
  t.call("gather_rows", "",
         weft_gather_rows{t.in("source", n), t.order(r), nullptr, t.out("y", n), r, c, r, 1, 0});
  int64_t pixels = 784, images = t.rows(pixels), all = images * pixels;
  t.repeat(images, pixels);
  t.call("gather_rows_u8", "784 columns",
         weft_gather_rows{t.add({"source", Type::U8, Role::INPUT, Fill::BYTES, all, 0}),
                          t.order(images), nullptr, t.out("y", all), images, pixels, images,
                          1 / 255.0, 0});
  t.repeat(r, c);
  t.call("gather_rows_backward", "",
         weft_gather_rows_backward{t.order(r), t.in("dy", n), t.wide_inout("dsource", n), r, c, r,
                                   0.0625});
  for (int64_t classes : {10, 1000}) {
    int64_t many = t.rows(classes);
    t.repeat(many, classes);
    t.call("argmax", std::to_string(classes) + " columns",
           weft_argmax{t.in("x", many * classes), t.out("y", many, Type::I32), many, classes});
  }
}

// Those that exist in float32 and float64 alone.
void parameters(Table& t) {
  int64_t n = t.rows(COLS) * COLS;
  t.repeat(t.rows(COLS), COLS);
  for (const char* kernel : {"random_uniform", "random_normal"})
    t.call(kernel, "", weft_random{t.random_out("y", n), n, 1, 0, 0, 0, 1});
  for (double momentum : {0.0, 0.9})
    t.call("sgd", momentum > 0 ? "momentum" : "",
           weft_sgd{t.inout("value", n), t.in("gradient", n),
                    momentum > 0 ? t.inout("velocity", n) : nullptr, nullptr, t.state(), n,
                    momentum, 0, 0, 0});
  for (bool copies : {false, true})
    t.call("adam", copies ? "with a copy in bf16" : "",
           weft_adam{t.inout("value", n), t.in("gradient", n), t.inout("first", n),
                     t.inout("second", n), copies ? t.out("copy", n, Type::BF16) : nullptr,
                     t.state(), n, 0.9, 0.999, 1e-8, 0, 0});
}

void untyped(Table& t) {
  int64_t n = t.rows(COLS) * COLS;
  t.repeat(t.rows(COLS), COLS);
  t.untyped("f32_to_bf16", "", weft_cast{t.in("x", n), t.out("y", n, Type::BF16), n, 0});
  t.untyped("bf16_to_f32", "", weft_cast{t.in("x", n, Type::BF16), t.out("y", n), n, 0});
  t.untyped(
      "gather_labels", "",
      weft_gather_labels{t.labels(n, 10), t.order(n), nullptr, t.out("y", n, Type::I32), n, n});
  t.cases.back().small = true;
  t.untyped("advance_step", "", weft_advance_step{t.state(), 1});
  t.cases.back().small = true;
}

}  // namespace

double TimedCase::bytes() const {
  double sum = 0;
  for (const Operand& operand : operands) {
    if (operand.fill == Fill::STATE) continue;
    sum += (double)operand.bytes() * (operand.role == Role::INOUT ? 2 : 1);
  }
  return sum;
}

int64_t TimedCase::repeats() const {
  int64_t sum = 0;
  for (const Operand& operand : operands) sum += operand.repeats();
  return sum;
}

std::vector<TimedCase> timed_cases(const std::string& type, double operand_bytes) {
  Table table(type, operand_bytes);
  activations(table);
  losses(table);
  norms(table);
  elementwise(table);
  reductions(table);
  rows(table);
  if (table.is_wide()) parameters(table);
  if (table.is_f32()) untyped(table);
  return std::move(table.cases);
}

}  // namespace weft::harness
