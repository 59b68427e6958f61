// SPDX-License-Identifier: Apache-2.0
//
// Operands, blocks and operations follow from the contract; a test holds them and the bytes against
// dev.weft.device.Cost.
#include "timed_cases.h"

#include <algorithm>

#include "timed_table.h"

namespace weft::harness {

namespace {

constexpr int64_t COLS = 1024;
void* const X = (void*)1;  // a pointer that is there

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
  int64_t r = t.rows(COLS), c = COLS, sums = parts(1, r, c);
  const Function functions[] = {
      {"relu", WEFT_RELU}, {"tanh", WEFT_TANH}, {"gelu", WEFT_GELU}, {"silu", WEFT_SILU}};
  t.repeat(r, c);
  for (auto f : functions)
    t.call("bias_activation_forward", f.name,
           weft_bias_activation_forward{X, X, X, r, c, f.number, 0});
  t.repeat(r, c, sums);
  for (auto f : functions) {
    bool of_x = f.number == WEFT_GELU || f.number == WEFT_SILU;
    void *x = of_x ? X : nullptr, *y = of_x ? nullptr : X;
    t.call("bias_activation_backward", f.name,
           weft_bias_activation_backward{x, x, y, X, X, r, c, f.number, 0, 0});
    t.call("bias_activation_gradients", f.name,
           weft_bias_activation_gradients{x, x, y, X, X, X, r, c, sums, f.number, 0, 0});
  }
}

void rows(Table& t) {
  for (int64_t c : {10, 1000, 2048, 32000}) {
    int64_t r = t.rows(c);
    t.repeat(r, c);
    t.call("softmax_cross_entropy", std::to_string(c) + " classes",
           weft_softmax_cross_entropy{X, X, X, X, X, r, c, 0, 1.0 / (double)r});
  }
  int64_t r = t.rows(COLS), c = COLS;
  // how many dev.weft.op.LayerNorm cuts the rows into
  int64_t sums = std::max<int64_t>(1, std::min({(int64_t)264, r / 8, r * c / 4096}));
  t.repeat(r, c);
  t.call("layer_norm_forward", "", weft_layer_norm_forward{X, X, X, X, X, X, r, c, 1e-5});
  t.repeat(r, c, sums);
  t.call("layer_norm_backward", "",
         weft_layer_norm_backward{X, X, X, X, X, X, X, X, r, c, sums, 0, 0, 0});
}

void elementwise(Table& t) {
  int64_t r = t.rows(COLS), c = COLS, n = r * c;
  t.repeat(r, c);
  t.call("dropout", "", weft_dropout{X, X, X, n, 0, 0.2, 0}).operands[1].period = 0;
  for (auto f : {Function{"exp", WEFT_EXP},
                 {"log", WEFT_LOG},
                 {"pow", WEFT_POW, 1.5},
                 {"square", WEFT_SQUARE}}) {
    bool of_y = f.number == WEFT_EXP;  // its derivative
    void *x = of_y ? nullptr : X, *y = of_y ? X : nullptr;
    t.call("unary_forward", f.name, weft_unary_forward{X, X, n, f.number, f.alpha})
        .operands[0]
        .fill = Fill::POSITIVE;
    t.call("unary_backward", f.name, weft_unary_backward{x, y, X, X, n, f.number, f.alpha, 0})
        .operands[0]
        .fill = Fill::POSITIVE;
  }
  auto binary = [&](const char* name, int64_t f, int64_t b_row, int64_t b_col) {
    t.call("binary_forward", name,
           weft_binary_forward{X, X, X, 1, 1, r, c, 0, 0, c, 1, 0, 0, b_row, b_col, f})
        .operands[1]
        .fill = Fill::POSITIVE;
  };
  binary("add", WEFT_ADD, c, 1);
  binary("add a row", WEFT_ADD, 0, 1);
  binary("add a column", WEFT_ADD, 1, 0);
  binary("divide", WEFT_DIVIDE, c, 1);
  for (auto f : {Function{"multiply", WEFT_MULTIPLY}, {"divide", WEFT_DIVIDE}})
    t.call("binary_backward", f.name,
           weft_binary_backward{X, X, X, X, X, 1, 1, r, c, 0, 0, c, 1, 0, 0, c, 1, f.number, 0, 0})
        .operands[1]
        .fill = Fill::POSITIVE;
  t.call("fill", "", weft_fill{X, n, 1});
  t.call("copy_rows", "", weft_copy_rows{X, X, r, c, c, c, 1, 0});
  t.call("copy_rows", "scaled, +=", weft_copy_rows{X, X, r, c, c, c, 0.0625, 1});
  Operand& columns = t.call("transpose", "", weft_transpose{X, X, r, c, 0}).operands[1];
  columns.lines = c;
  columns.period /= c;
  columns.repeated = r;
}

void reductions(Table& t) {
  int64_t r = t.rows(COLS), c = COLS, n = r * c;
  auto reduce = [&](const char* name, int64_t outer, int64_t count, int64_t inner, int64_t f) {
    int64_t stages = parts(outer, count, inner);
    outer == 1 ? t.repeat(count, inner, stages) : t.repeat(outer, count);
    t.call("reduce", name, weft_reduce{X, X, outer, count, inner, stages, f, 1, 0});
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
           weft_reduce_backward{nullptr, X, X, outer, count, inner, WEFT_SUM, 1, 0});
    t.call("max_backward", of_rows ? "of rows" : "of columns",
           weft_max_backward{X, X, X, X, outer, count, inner, 0});
  }
}

void gathers(Table& t) {
  int64_t r = t.rows(COLS), c = COLS, pixels = 784, images = t.rows(pixels);
  t.repeat(r, c);
  t.call("gather_rows", "", weft_gather_rows{X, X, nullptr, X, r, c, r, 1, 0});
  t.repeat(images, pixels);
  Operand& source = t.call("gather_rows_u8", "784 columns",
                           weft_gather_rows{X, X, nullptr, X, images, pixels, images, 1 / 255.0, 0})
                        .operands[0];
  source.type = Type::U8;
  source.fill = Fill::BYTES;
  t.repeat(r, c);
  t.call("gather_rows_backward", "", weft_gather_rows_backward{X, X, X, r, c, r, 0.0625});
  for (int64_t classes : {10, 1000}) {
    int64_t many = t.rows(classes);
    t.repeat(many, classes);
    t.call("argmax", std::to_string(classes) + " columns", weft_argmax{X, X, many, classes});
  }
}

// Those that exist in float32 and float64 alone.
void parameters(Table& t) {
  int64_t n = t.rows(COLS) * COLS;
  t.repeat(t.rows(COLS), COLS);
  for (const char* kernel : {"random_uniform", "random_normal"})
    t.call(kernel, "", weft_random{X, n, 1, 0, 0, 0, 1}).operands[0].period = 0;
  t.call("sgd", "", weft_sgd{X, X, nullptr, nullptr, X, n, 0, 0, 0, 0});
  t.call("sgd", "momentum", weft_sgd{X, X, X, nullptr, X, n, 0.9, 0, 0, 0});
  for (void* copy : {(void*)nullptr, X})
    t.call("adam", copy ? "with a copy in bf16" : "",
           weft_adam{X, X, X, X, copy, X, n, 0.9, 0.999, 1e-8, 0, 0});
}

void untyped(Table& t) {
  int64_t n = t.rows(COLS) * COLS;
  t.repeat(t.rows(COLS), COLS);
  t.untyped("f32_to_bf16", "", weft_cast{X, X, n, 0}).operands[1].type = Type::BF16;
  t.untyped("bf16_to_f32", "", weft_cast{X, X, n, 0}).operands[0].type = Type::BF16;
  t.untyped("gather_labels", "", weft_gather_labels{X, X, nullptr, X, n, n}).small = true;
  t.untyped("advance_step", "", weft_advance_step{X, 1}).small = true;
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
  rows(table);
  elementwise(table);
  reductions(table);
  gathers(table);
  if (table.is_wide()) parameters(table);
  if (table.is_f32()) untyped(table);
  return std::move(table.cases);
}

}  // namespace weft::harness
