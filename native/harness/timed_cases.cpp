// SPDX-License-Identifier: Apache-2.0
//
// Bytes follow from the operands. Operations a number are those of dev.weft.device.Cost, which a
// test holds these against.
#include "timed_cases.h"

#include <algorithm>

#include "timed_table.h"

namespace weft::harness {

namespace {

constexpr int64_t COLS = 1024;

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
  struct Function {
    const char* name;
    int64_t number;
  };
  for (auto f : {Function{"relu", WEFT_RELU},
                 {"tanh", WEFT_TANH},
                 {"gelu", WEFT_GELU},
                 {"silu", WEFT_SILU}}) {
    t.call(
        "bias_activation_forward", f.name,
        weft_bias_activation_forward{t.in("x", n), t.in("b", c), t.out("y", n), r, c, f.number, 0},
        n, 2.0 * n);
  }
  int64_t sums = parts(1, r, c);
  t.repeat(r, c, sums);
  for (auto f : {Function{"relu", WEFT_RELU},
                 {"tanh", WEFT_TANH},
                 {"gelu", WEFT_GELU},
                 {"silu", WEFT_SILU}}) {
    bool of_x = f.number == WEFT_GELU || f.number == WEFT_SILU;
    auto x = [&] { return of_x ? t.in("x", n) : nullptr; };
    auto b = [&] { return of_x ? t.in("b", c) : nullptr; };
    auto y = [&] { return of_x ? nullptr : t.in("y", n); };
    t.call("bias_activation_backward", f.name,
           weft_bias_activation_backward{x(), b(), y(), t.in("dy", n), t.out("dx", n), r, c,
                                         f.number, 0, 0},
           n, 2.0 * n);
    t.call("bias_activation_gradients", f.name,
           weft_bias_activation_gradients{x(), b(), y(), t.in("dy", n), t.out("dx", n),
                                          t.sums("db", sums, c), r, c, sums, f.number, 0, 0},
           sums * c, 3.0 * n);
  }
}

void losses(Table& t) {
  for (int64_t c : {10, 1000, 2048, 32000}) {
    int64_t r = t.rows(c), n = r * c;
    t.repeat(r, c);
    int64_t together = c > 2048 ? 1 : c > 1024 ? 2 : c > 512 ? 4 : c > 32 ? 8 : 32;
    t.call(
        "softmax_cross_entropy", std::to_string(c) + " classes",
        weft_softmax_cross_entropy{t.in("x", n), t.labels(r, c), t.wide_out("losses", r),
                                   t.out("dx", n), t.wide_out("hits", r), r, c, 0, 1.0 / (double)r},
        (r + together - 1) / together, 7.0 * n);
  }
}

void elementwise(Table& t) {
  int64_t r = t.rows(COLS), c = COLS, n = r * c;
  t.repeat(r, c);
  t.call("dropout", "", weft_dropout{t.in("x", n), t.random_out("y", n), t.state(), n, 0, 0.2, 0},
         n, 2.0 * n);
  struct Function {
    const char* name;
    int64_t number;
    double alpha;
  };
  for (auto f : {Function{"exp", WEFT_EXP, 0},
                 {"log", WEFT_LOG, 0},
                 {"pow", WEFT_POW, 1.5},
                 {"square", WEFT_SQUARE, 0}}) {
    bool of_y = f.number == WEFT_EXP;  // its derivative
    t.call("unary_forward", f.name,
           weft_unary_forward{t.positive("x", n), t.out("y", n), n, f.number, f.alpha}, n,
           (double)n);
    t.call("unary_backward", f.name,
           weft_unary_backward{of_y ? nullptr : t.positive("x", n),
                               of_y ? t.positive("y", n) : nullptr, t.in("dy", n), t.out("dx", n),
                               n, f.number, f.alpha, 0},
           n, 2.0 * n);
  }
  auto binary = [&](const char* name, int64_t f, int64_t b_row, int64_t b_col, int64_t count) {
    t.call("binary_forward", name,
           weft_binary_forward{t.in("a", n), t.positive("b", count), t.out("y", n), 1, 1, r, c, 0,
                               0, c, 1, 0, 0, b_row, b_col, f},
           n, (double)n);
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
                                0},
           n, 4.0 * n);
  };
  binary_backward("multiply", WEFT_MULTIPLY, &Table::in);
  binary_backward("divide", WEFT_DIVIDE, &Table::positive);
  t.call("fill", "", weft_fill{t.out("y", n), n, 1}, n, 0);
  t.call("copy_rows", "", weft_copy_rows{t.in("x", n), t.out("y", n), r, c, c, c, 1, 0}, n, 0);
  t.call("copy_rows",
         "scaled, +=", weft_copy_rows{t.in("x", n), t.inout("y", n), r, c, c, c, 0.0625, 1}, n,
         2.0 * n);
  t.call("transpose", "", weft_transpose{t.in("x", n), t.transposed_out("y", n), r, c, 0},
         (r + 31) / 32 * ((c + 31) / 32), 0);
}

void reductions(Table& t) {
  int64_t r = t.rows(COLS), c = COLS, n = r * c;
  auto reduce = [&](const char* name, int64_t outer, int64_t count, int64_t inner, int64_t f,
                    double flops) {
    int64_t stages = parts(outer, count, inner), results = stages * outer * inner;
    int64_t together = inner > 1 ? 32 : (count + stages - 1) / stages <= 2048 ? 8 : 1;
    if (outer == 1) {
      t.repeat(count, inner, stages);
    } else {
      t.repeat(outer, count);
    }
    t.call("reduce", name,
           weft_reduce{t.in("x", n),
                       outer == 1 ? t.sums("y", stages, inner) : t.wide_out("y", results), outer,
                       count, inner, stages, f, 1, 0},
           (results + together - 1) / together, flops);
  };
  reduce("sum of rows", r, c, 1, WEFT_SUM, (double)n);
  reduce("max of rows", r, c, 1, WEFT_MAX, (double)n);
  reduce("sum of columns", 1, r, c, WEFT_SUM, (double)n);
  reduce("sum of all", 1, n, 1, WEFT_SUM, (double)n);
  reduce("squares of all", 1, n, 1, WEFT_SUM_OF_SQUARES, 2.0 * n);
  t.repeat(r, c);
  t.call("reduce_backward", "sum of rows",
         weft_reduce_backward{nullptr, t.wide_in("dy", r), t.out("dx", n), r, c, 1, WEFT_SUM, 1, 0},
         n, (double)n);
  t.call("reduce_backward", "sum of columns",
         weft_reduce_backward{nullptr, t.wide_in("dy", c), t.out("dx", n), 1, r, c, WEFT_SUM, 1, 0},
         n, (double)n);
  t.call("max_backward", "of rows",
         weft_max_backward{t.in("x", n), t.wide_in("y", r), t.wide_in("dy", r), t.out("dx", n), r,
                           c, 1, 0},
         (r + 7) / 8, (double)n);
  t.call("max_backward", "of columns",
         weft_max_backward{t.in("x", n), t.wide_in("y", c), t.wide_in("dy", c), t.out("dx", n), 1,
                           r, c, 0},
         (c + 31) / 32, (double)n);
}

void rows(Table& t) {
  int64_t r = t.rows(COLS), c = COLS, n = r * c;
  t.repeat(r, c);
  t.call("gather_rows", "",
         weft_gather_rows{t.in("source", n), t.order(r), nullptr, t.out("y", n), r, c, r, 1, 0}, n,
         2.0 * n);
  int64_t pixels = 784, images = t.rows(pixels), all = images * pixels;
  t.repeat(images, pixels);
  t.call("gather_rows_u8", "784 columns",
         weft_gather_rows{t.add({"source", Type::U8, Role::INPUT, Fill::BYTES, all, 0}),
                          t.order(images), nullptr, t.out("y", all), images, pixels, images,
                          1 / 255.0, 0},
         all, 2.0 * all);
  t.repeat(r, c);
  t.call("gather_rows_backward", "",
         weft_gather_rows_backward{t.order(r), t.in("dy", n), t.wide_inout("dsource", n), r, c, r,
                                   0.0625},
         c, 2.0 * n);
  for (int64_t classes : {10, 1000}) {
    int64_t many = t.rows(classes);
    t.repeat(many, classes);
    t.call("argmax", std::to_string(classes) + " columns",
           weft_argmax{t.in("x", many * classes),
                       t.add({"y", Type::I32, Role::OUTPUT, Fill::POISON, many, 0}), many, classes},
           classes <= 32 ? (many + 15) / 16 : (many + 3) / 4, (double)(many * classes));
  }
}

// Those that exist in float32 and float64 alone.
void parameters(Table& t) {
  int64_t n = t.rows(COLS) * COLS;
  t.repeat(t.rows(COLS), COLS);
  t.call("random_uniform", "", weft_random{t.random_out("y", n), n, 1, 0, 0, 0, 1}, n, (double)n);
  t.call("random_normal", "", weft_random{t.random_out("y", n), n, 1, 0, 0, 0, 1}, n, (double)n);
  t.call("sgd", "",
         weft_sgd{t.inout("value", n), t.in("gradient", n), nullptr, nullptr, t.state(), n, 0, 0, 0,
                  0},
         n, 2.0 * n);
  t.call("sgd", "momentum",
         weft_sgd{t.inout("value", n), t.in("gradient", n), t.inout("velocity", n), nullptr,
                  t.state(), n, 0.9, 0, 0, 0},
         n, 4.0 * n);
  for (bool copies : {false, true}) {
    t.call("adam", copies ? "with a copy in bf16" : "",
           weft_adam{
               t.inout("value", n), t.in("gradient", n), t.inout("first", n), t.inout("second", n),
               copies ? t.add({"copy", Type::BF16, Role::OUTPUT, Fill::POISON, n, 0}) : nullptr,
               t.state(), n, 0.9, 0.999, 1e-8, 0, 0},
           n, 13.0 * n);
  }
}

void untyped(Table& t) {
  int64_t n = t.rows(COLS) * COLS;
  t.repeat(t.rows(COLS), COLS);
  t.untyped(
      "f32_to_bf16", "",
      weft_cast{t.in("x", n), t.add({"y", Type::BF16, Role::OUTPUT, Fill::POISON, n, 0}), n, 0}, n,
      0);
  t.untyped(
      "bf16_to_f32", "",
      weft_cast{t.add({"x", Type::BF16, Role::INPUT, Fill::SIGNED, n, 0}), t.out("y", n), n, 0}, n,
      0);
  t.untyped("gather_labels", "",
            weft_gather_labels{t.labels(n, 10), t.order(n), nullptr,
                               t.add({"y", Type::I32, Role::OUTPUT, Fill::POISON, n, 0}), n, n},
            n, 0);
  t.cases.back().small = true;
  t.untyped("advance_step", "", weft_advance_step{t.state(), 1}, 1, 0);
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
  elementwise(table);
  reductions(table);
  rows(table);
  if (table.is_wide()) parameters(table);
  if (table.is_f32()) untyped(table);
  return std::move(table.cases);
}

}  // namespace weft::harness
