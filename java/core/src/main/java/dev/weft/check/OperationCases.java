// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static dev.weft.format.Format.format;

import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/** The cases of all operations. An operation that has none here fails a test. */
public final class OperationCases {
  private static final List<OperationCase> ALL =
      Stream.of(
              ElementwiseCases.all(),
              ReductionCases.all(),
              MatrixCases.all(),
              RowCases.all(),
              LossCases.all(),
              ShapeCases.all())
          .flatMap(List::stream)
          .toList();

  private OperationCases() {}

  /** Every case, related ones together. */
  public static List<OperationCase> all() {
    return ALL;
  }

  /**
   * The cases whose name contains a match of {@code regex}, in letters of either case.
   *
   * @throws IllegalArgumentException where there is none, and the message lists all names; or where
   *     {@code regex} is no regular expression
   */
  public static List<OperationCase> matching(String regex) {
    Predicate<String> wanted;
    try {
      wanted = Pattern.compile(regex, Pattern.CASE_INSENSITIVE).asPredicate();
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          format("'%s' is no regular expression: %s", regex, e.getDescription()), e);
    }
    List<OperationCase> found =
        ALL.stream().filter(operation -> wanted.test(operation.name())).toList();
    if (found.isEmpty()) {
      throw new IllegalArgumentException(
          format(
              "no operation is called '%s'; there are %s",
              regex, String.join(", ", ALL.stream().map(OperationCase::name).toList())));
    }
    return found;
  }
}
