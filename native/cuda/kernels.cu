// SPDX-License-Identifier: Apache-2.0
//
// All families in one translation unit, hence one module.
#include "activation.cu"
#include "binary.cu"
#include "dropout.cu"
#include "layout.cu"
#include "maximum.cu"
#include "optimizer.cu"
#include "random.cu"
#include "reduce.cu"
#include "rows.cu"
#include "softmax_cross_entropy.cu"
#include "unary.cu"
