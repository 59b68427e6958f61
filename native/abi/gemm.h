// SPDX-License-Identifier: Apache-2.0
//
// The product of matrices.

// c (m, n) = alpha op(a) op(b) + beta c, op(a) (m, k), op(b) (k, n); lda, ldb, ldc are the row
// strides of the stored matrices; transpose_a = 1 means that a is stored (k, m). With beta 0, c is
// never read. fast: 0 float32 throughout, 1 TF32 / bf16 multiplications (f32 only). That for each of
// `batch` products, whose matrices stand a_step, b_step, c_step elements apart; a step of 0 is the
// same a or b for all. On CUDA this is a call of cuBLAS.
#define WEFT_GEMM(P, I, D, W)                                                                 \
  P(a, IN, T,                                                                                 \
    k == 0 ? 0                                                                                \
           : (batch - 1) * a_step +                                                           \
                 (transpose_a ? (k - 1) * lda + m : (m - 1) * lda + k),                       \
    MOVES((a_step == 0 ? 1 : batch) * m * k))                                                 \
  P(b, IN, T,                                                                                 \
    k == 0 ? 0                                                                                \
           : (batch - 1) * b_step +                                                           \
                 (transpose_b ? (n - 1) * ldb + k : (k - 1) * ldb + n),                       \
    MOVES((b_step == 0 ? 1 : batch) * k * n))                                                 \
  P(c, ADD(beta != 0), c_wide ? WIDE : T, (batch - 1) * c_step + (m - 1) * ldc + n,           \
    MOVES(batch * m * n))                                                                     \
  I(m) I(n) I(k) I(lda) I(ldb) I(ldc) I(transpose_a, FLAG) I(transpose_b, FLAG) D(alpha)      \
  D(beta) I(fast, FLAG) I(c_wide, FLAG) I(batch) I(a_step) I(b_step) I(c_step)                \
  W(batch * m * n, 2 * batch * m * n * k)

#define WEFT_GEMM_STRUCTS(S) S(gemm, WEFT_GEMM)

#define WEFT_GEMM_KERNELS(K) K(LIBRARY, gemm, gemm, 0, 0)
