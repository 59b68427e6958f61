// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.measure;

import dev.weft.op.MatMul.Form;

/** Which operand is stored transposed, by what a layer y = x W needs it for. */
public enum ProductForm {
  /** y = x W. */
  FORWARD(Form.PLAIN, Form.PLAIN),
  /** dx = dy Wᵀ. */
  INPUT_GRADIENT(Form.PLAIN, Form.TRANSPOSED),
  /** dW = xᵀ dy. */
  WEIGHT_GRADIENT(Form.TRANSPOSED, Form.PLAIN);

  private final Form a;
  private final Form b;

  ProductForm(Form a, Form b) {
    this.a = a;
    this.b = b;
  }

  Form a() {
    return a;
  }

  Form b() {
    return b;
  }
}
