// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import dev.weft.Operations;
import dev.weft.Tensor;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The tangent of a result of several inputs: a term of each that moves. */
final class TangentSum {
  private TangentSum() {}

  /** The sum, broadcasting, of the terms that are not null: one at least. */
  static Tensor of(Operations on, @Nullable Tensor... terms) {
    return Stream.of(terms).filter(Objects::nonNull).reduce(on::add).orElseThrow();
  }
}
