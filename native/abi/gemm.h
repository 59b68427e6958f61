// SPDX-License-Identifier: Apache-2.0
//
// The product of matrices.

// c (m, n) = alpha op(a) op(b) + beta c, op(a) (m, k), op(b) (k, n); lda, ldb, ldc are the row
// strides of the stored matrices; transpose_a = 1 means that a is stored (k, m). With beta 0, c is
// never read. fast: 0 float32 throughout, 1 TF32 / bf16 multiplications (f32 only). On CUDA this is a
// call of cuBLAS.
#define WEFT_GEMM(P, I, D, W)                                                                 \
  P(a, IN, T, k == 0 ? 0 : transpose_a ? (k - 1) * lda + m : (m - 1) * lda + k,               \
    MOVES(m * k))                                                                             \
  P(b, IN, T, k == 0 ? 0 : transpose_b ? (n - 1) * ldb + k : (k - 1) * ldb + n,               \
    MOVES(k * n))                                                                             \
  P(c, ADD(beta != 0), c_wide ? WIDE : T, (m - 1) * ldc + n, MOVES(m * n))                    \
  I(m) I(n) I(k) I(lda) I(ldb) I(ldc) I(transpose_a, FLAG) I(transpose_b, FLAG) D(alpha)      \
  D(beta) I(fast, FLAG) I(c_wide, FLAG)                                                       \
  W(m * n, 2 * m * n * k)

#define WEFT_GEMM_STRUCTS(S) S(gemm, WEFT_GEMM)

#define WEFT_GEMM_KERNELS(K) K(LIBRARY, gemm, gemm, 0, 0)
