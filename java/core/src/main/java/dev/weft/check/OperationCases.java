// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import java.util.List;
import java.util.stream.Stream;

/** The cases of all operations. An operation that has none here fails a test. */
public final class OperationCases {
  private static final List<OperationCase> ALL =
      Stream.of(
              ElementwiseCases.all(),
              ReductionCases.all(),
              MatrixCases.all(),
              RowCases.all(),
              ShapeCases.all())
          .flatMap(List::stream)
          .toList();

  private OperationCases() {}

  /** Every case, related ones together. */
  public static List<OperationCase> all() {
    return ALL;
  }

  /**
   * The cases whose name contains {@code part}.
   *
   * @throws IllegalArgumentException where there is none; the message lists all names
   */
  public static List<OperationCase> matching(String part) {
    List<OperationCase> found =
        ALL.stream().filter(operation -> operation.name().contains(part)).toList();
    if (found.isEmpty()) {
      throw new IllegalArgumentException(
          "no operation is called '%s'; there are %s"
              .formatted(part, String.join(", ", ALL.stream().map(OperationCase::name).toList())));
    }
    return found;
  }
}
