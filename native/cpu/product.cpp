// SPDX-License-Identifier: Apache-2.0
//
// How a product is described to oneDNN.
#include "product.h"

#include <initializer_list>
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

constexpr int names[OPERANDS] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD};

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

// The same matrix as bfloat16, its rows without gaps.
owned<dnnl_memory_desc_t> dense(const weft_gemm& a, int64_t rows, int64_t cols, bool transposed) {
  return matrix(a, dnnl_bf16, rows, cols, transposed ? rows : cols, transposed);
}

// Whether B is laid out in panels beforehand. Fast products have to write it anew anyhow, which
// makes them 5 to 15 % faster; strict ones gain 4 % where panels serve many rows of A (1024 x 2048
// x 2048), and at 128 rows lose 15 %. A transposed B costs more than it brings.
bool panels_pay(const weft_gemm& a, bool narrow) {
  constexpr int64_t many_rows = 768;
  return !a.transpose_b && (narrow || a.m >= many_rows);
}

owned<dnnl_primitive_desc_t> describe_product(const weft_gemm& a, const_dnnl_memory_desc_t x,
                                              const_dnnl_memory_desc_t w,
                                              const_dnnl_memory_desc_t y,
                                              const_dnnl_primitive_attr_t attributes) {
  dnnl_primitive_desc_t made = nullptr;
  WEFT_ONEDNN(dnnl_matmul_primitive_desc_create(&made, engine(a), x, w, nullptr, y, attributes));
  return owned<dnnl_primitive_desc_t>(made);
}

owned<dnnl_memory_desc_t> any_layout(const weft_gemm& a, dnnl_data_type_t type) {
  dnnl_memory_desc_t made = nullptr;
  dnnl_dims_t dims = {a.k, a.n};
  WEFT_ONEDNN(dnnl_memory_desc_create_with_tag(&made, 2, dims, type, dnnl_format_tag_any));
  return owned<dnnl_memory_desc_t>(made);
}

}  // namespace

void product::make_rounding(const weft_gemm& a, operand which, const_dnnl_memory_desc_t from,
                            const_dnnl_memory_desc_t to) {
  rounding& r = rounded[which];
  dnnl_primitive_desc_t made = nullptr;
  WEFT_ONEDNN(dnnl_reorder_primitive_desc_create(&made, from, engine(a), to, engine(a), nullptr));
  owned<dnnl_primitive_desc_t> description(made);
  WEFT_ONEDNN(dnnl_primitive_create(&r.primitive, made));
  WEFT_ONEDNN(dnnl_memory_create(&r.from, from, engine(a), DNNL_MEMORY_NONE));
  r.place = scratchpad;
  scratchpad += pages(dnnl_memory_desc_get_size(to));
}

// Whether oneDNN wants B in panels; notes how. rows_in_place: 2 of bf16, 1 of floats.
bool product::wants_panels(const weft_gemm& a, const_dnnl_memory_desc_t wanted,
                           int64_t rows_in_place) {
  int levels = 0;
  dnnl_dims_t *inner, *of, *padded, *strides;
  WEFT_ONEDNN(dnnl_memory_desc_query(wanted, dnnl_query_inner_nblks_s32, &levels));
  WEFT_ONEDNN(dnnl_memory_desc_query(wanted, dnnl_query_inner_blks, &inner));
  WEFT_ONEDNN(dnnl_memory_desc_query(wanted, dnnl_query_inner_idxs, &of));
  WEFT_ONEDNN(dnnl_memory_desc_query(wanted, dnnl_query_padded_dims, &padded));
  WEFT_ONEDNN(dnnl_memory_desc_query(wanted, dnnl_query_strides, &strides));
  if (levels != rows_in_place + 1) return false;
  int64_t rows = 16 * rows_in_place, width = (*inner)[1], depth = (*padded)[0];
  bool blocks = (*inner)[0] == 16 && (*of)[0] == 0 && width % 16 == 0 && (*of)[1] == 1 &&
                (levels == 2 || ((*inner)[2] == 2 && (*of)[2] == 0));
  bool in_order = (*strides)[0] == rows * width && (*strides)[1] == depth * width;
  size_t bytes = (size_t)(depth * (*padded)[1]) * sizeof(float) / (size_t)rows_in_place;
  if (!blocks || !in_order || dnnl_memory_desc_get_size(wanted) != bytes) return false;
  right = {nullptr, a.k, a.n, a.ldb, nullptr, width, depth};
  right_place = scratchpad;
  scratchpad += pages(bytes);
  return true;
}

void product::make(const weft_gemm& a, form types) {
  bool ta = a.transpose_a != 0, tb = a.transpose_b != 0;
  dnnl_data_type_t operands = types == FLOAT ? dnnl_f32 : dnnl_bf16;
  auto x = matrix(a, operands, a.m, a.k, a.lda, ta);
  auto w = matrix(a, operands, a.k, a.n, a.ldb, tb);
  auto y = matrix(a, types == NARROW ? dnnl_bf16 : dnnl_f32, a.m, a.n, a.ldc, false);
  auto attributes = describe(a);
  narrow = types == FLOAT && a.fast && multiplies_bf16();
  if (narrow) {
    auto rounded_x = dense(a, a.m, a.k, ta);
    make_rounding(a, A, x.get(), rounded_x.get());
    x = std::move(rounded_x);
  }
  owned<dnnl_primitive_desc_t> description;
  const_dnnl_memory_desc_t layout = nullptr;
  if (types == FLOAT && panels_pay(a, narrow)) {
    auto any = any_layout(a, narrow ? dnnl_bf16 : dnnl_f32);
    description = describe_product(a, x.get(), any.get(), y.get(), attributes.get());
    layout = dnnl_primitive_desc_query_md(description.get(), dnnl_query_weights_md, 0);
    if (!wants_panels(a, layout, narrow ? 2 : 1)) layout = nullptr;
  }
  if (!layout) {
    if (narrow) {
      auto rounded_w = dense(a, a.k, a.n, tb);
      make_rounding(a, B, w.get(), rounded_w.get());
      w = std::move(rounded_w);
    }
    description = describe_product(a, x.get(), w.get(), y.get(), attributes.get());
    layout = w.get();
  }
  pad_place = scratchpad;
  dnnl_primitive_desc_t made = description.get();
  WEFT_ONEDNN(dnnl_primitive_create(&primitive, made));
  const_dnnl_memory_desc_t pad = dnnl_primitive_desc_query_md(made, dnnl_query_scratchpad_md, 0);
  scratchpad += pad ? dnnl_memory_desc_get_size(pad) : 0;
  const_dnnl_memory_desc_t of[OPERANDS] = {x.get(), layout, y.get(), pad};
  for (int i = 0; i < OPERANDS; i++) {
    if (of[i]) WEFT_ONEDNN(dnnl_memory_create(&memory[i], of[i], engine(a), DNNL_MEMORY_NONE));
  }
}

void product::run(const weft_gemm& a, dnnl_stream_t stream, char* scratchpad, const packer& pack) {
  void* data[OPERANDS] = {a.a, a.b, a.c, scratchpad + pad_place};
  for (operand which : {A, B}) {
    rounding& r = rounded[which];
    if (!r.primitive) continue;
    WEFT_ONEDNN(dnnl_memory_set_data_handle(r.from, data[which]));
    data[which] = scratchpad + r.place;
    WEFT_ONEDNN(dnnl_memory_set_data_handle(memory[which], data[which]));
    dnnl_exec_arg_t turn[] = {{DNNL_ARG_FROM, r.from}, {DNNL_ARG_TO, memory[which]}};
    WEFT_ONEDNN(dnnl_primitive_execute(r.primitive, stream, 2, turn));
  }
  if (right.width) {
    right.from = static_cast<const float*>(a.b);
    right.to = data[B] = scratchpad + right_place;
    (narrow ? pack.bf16 : pack.f32)(right);
  }
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
