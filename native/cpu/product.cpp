// SPDX-License-Identifier: Apache-2.0
//
// How a product is described to oneDNN.
#include "product.h"

#include <iterator>
#include <memory>
#include <type_traits>

namespace weft {

dnnl_engine_t engine(const weft_gemm& a) {
  static const dnnl_engine_t made = [&] {
    dnnl_engine_t e = nullptr;
    WEFT_ONEDNN(dnnl_engine_create(&e, dnnl_cpu, 0));
    return e;
  }();
  return made;
}

bool multiplies_bf16() {
  static const bool yes = (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) ==
                          dnnl_cpu_isa_avx512_core_bf16;
  return yes;
}

namespace {

struct destroy {
  void operator()(dnnl_memory_desc_t d) const { dnnl_memory_desc_destroy(d); }
  void operator()(dnnl_primitive_attr_t a) const { dnnl_primitive_attr_destroy(a); }
  void operator()(dnnl_primitive_desc_t d) const { dnnl_primitive_desc_destroy(d); }
  void operator()(dnnl_post_ops_t p) const { dnnl_post_ops_destroy(p); }
};

// What oneDNN made here, until the end of the block, also where a later call fails.
template <typename T>
using owned = std::unique_ptr<std::remove_pointer_t<T>, destroy>;

// c = alpha (product) + beta c, as steps that oneDNN takes on each result before it stores it
void describe_scales(const weft_gemm& a, dnnl_primitive_attr_t attributes) {
  dnnl_post_ops_t made = nullptr;
  WEFT_ONEDNN(dnnl_post_ops_create(&made));
  owned<dnnl_post_ops_t> steps(made);
  if (a.alpha != 1) {
    WEFT_ONEDNN(dnnl_post_ops_append_eltwise(steps.get(), dnnl_eltwise_linear, (float)a.alpha, 0));
  }
  if (a.beta != 0) {
    WEFT_ONEDNN(dnnl_post_ops_append_sum(steps.get(), (float)a.beta, 0, dnnl_data_type_undef));
  }
  WEFT_ONEDNN(dnnl_primitive_attr_set_post_ops(attributes, steps.get()));
}

owned<dnnl_primitive_attr_t> describe(const weft_gemm& a) {
  dnnl_primitive_attr_t made = nullptr;
  WEFT_ONEDNN(dnnl_primitive_attr_create(&made));
  owned<dnnl_primitive_attr_t> attributes(made);
  WEFT_ONEDNN(dnnl_primitive_attr_set_scratchpad_mode(made, dnnl_scratchpad_mode_user));
  describe_scales(a, made);
  return attributes;
}

owned<dnnl_memory_desc_t> matrix(const weft_gemm& a, dnnl_data_type_t type, int64_t rows,
                                 int64_t cols, int64_t stride, bool transposed) {
  dnnl_memory_desc_t made = nullptr;
  dnnl_dims_t dims = {rows, cols}, strides = {transposed ? 1 : stride, transposed ? stride : 1};
  WEFT_ONEDNN(dnnl_memory_desc_create_with_strides(&made, 2, dims, type, strides));
  return owned<dnnl_memory_desc_t>(made);
}

owned<dnnl_memory_desc_t> right_operand(const weft_gemm& a, dnnl_data_type_t type,
                                        dnnl_format_tag_t layout) {
  dnnl_memory_desc_t made = nullptr;
  dnnl_dims_t dims = {a.k, a.n};
  WEFT_ONEDNN(dnnl_memory_desc_create_with_tag(&made, 2, dims, type, layout));
  return owned<dnnl_memory_desc_t>(made);
}

dnnl_data_type_t type_of_operands(form types) { return types == FLOAT ? dnnl_f32 : dnnl_bf16; }

struct operands {
  owned<dnnl_memory_desc_t> x, y;
  owned<dnnl_primitive_attr_t> attributes;

  operands(const weft_gemm& a, form types)
      : x(matrix(a, type_of_operands(types), a.m, a.k, a.lda, a.transpose_a != 0)),
        y(matrix(a, types == NARROW ? dnnl_bf16 : dnnl_f32, a.m, a.n, a.ldc, false)),
        attributes(describe(a)) {}

  owned<dnnl_primitive_desc_t> with(const weft_gemm& a, const_dnnl_memory_desc_t w) const {
    dnnl_primitive_desc_t made = nullptr;
    WEFT_ONEDNN(dnnl_matmul_primitive_desc_create(&made, engine(a), x.get(), w, nullptr, y.get(),
                                                  attributes.get()));
    return owned<dnnl_primitive_desc_t>(made);
  }
};

constexpr int panel_kinds = 4;
constexpr int64_t panel_step = 16;

// Panels of 16, 32, 48 and 64 columns; those of bfloat16 have two rows next to each other.
dnnl_format_tag_t panel_layout(form types, int64_t kind) {
  constexpr dnnl_format_tag_t floats[] = {dnnl_BA16a16b, dnnl_BA16a32b, dnnl_BA16a48b,
                                          dnnl_BA16a64b};
  constexpr dnnl_format_tag_t pairs[] = {dnnl_BA16a16b2a, dnnl_BA16a32b2a, dnnl_BA16a48b2a,
                                         dnnl_BA16a64b2a};
  static_assert(std::size(floats) == panel_kinds && std::size(pairs) == panel_kinds, "all kinds");
  return types == FLOAT ? floats[kind] : pairs[kind];
}

}  // namespace

int64_t panel_width(const weft_gemm& a, form types) {
  dnnl_data_type_t type = type_of_operands(types);
  auto any = right_operand(a, type, dnnl_format_tag_any);
  auto description = operands(a, types).with(a, any.get());
  const_dnnl_memory_desc_t wanted =
      dnnl_primitive_desc_query_md(description.get(), dnnl_query_weights_md, 0);
  for (int64_t kind = 0; kind < panel_kinds; kind++) {
    auto panels = right_operand(a, type, panel_layout(types, kind));
    if (dnnl_memory_desc_equal(wanted, panels.get())) return (kind + 1) * panel_step;
  }
  return 0;
}

void product::make(const weft_gemm& a, form types, int64_t panel) {
  dnnl_data_type_t type = type_of_operands(types);
  auto w = panel ? right_operand(a, type, panel_layout(types, panel / panel_step - 1))
                 : matrix(a, type, a.k, a.n, a.ldb, a.transpose_b != 0);
  operands others(a, types);
  auto description = others.with(a, w.get());
  dnnl_primitive_desc_t made = description.get();
  WEFT_ONEDNN(dnnl_primitive_create(&primitive, made));
  const_dnnl_memory_desc_t pad = dnnl_primitive_desc_query_md(made, dnnl_query_scratchpad_md, 0);
  scratchpad = pad ? dnnl_memory_desc_get_size(pad) : 0;
  const_dnnl_memory_desc_t of[OPERANDS] = {others.x.get(), w.get(), others.y.get(), pad};
  for (int i = 0; i < OPERANDS; i++) {
    if (of[i]) WEFT_ONEDNN(dnnl_memory_create(&memory[i], of[i], engine(a), DNNL_MEMORY_NONE));
  }
}

void product::run(const weft_gemm& a, dnnl_stream_t stream, void* scratchpad) {
  constexpr int names[OPERANDS] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST,
                                   DNNL_ARG_SCRATCHPAD};
  void* data[OPERANDS] = {a.a, a.b, a.c, scratchpad};
  dnnl_exec_arg_t arguments[OPERANDS];
  int count = 0;
  for (int i = 0; i < OPERANDS; i++) {
    if (!memory[i]) continue;
    WEFT_ONEDNN(dnnl_memory_set_data_handle(memory[i], data[i]));
    arguments[count++] = {names[i], memory[i]};
  }
  WEFT_ONEDNN(dnnl_primitive_execute(primitive, stream, count, arguments));
}

}  // namespace weft
