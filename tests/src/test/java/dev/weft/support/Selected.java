// SPDX-License-Identifier: Apache-2.0
package dev.weft.support;

import dev.weft.check.OperationCase;
import dev.weft.check.OperationCases;
import java.util.stream.Stream;

/** The operations that tests loop over: all, or those whose name contains {@code -Dweft.op=...}. */
public final class Selected {
  private static final String NAME = System.getProperty("weft.op", "");

  private Selected() {}

  /** Their cases. */
  public static Stream<OperationCase> cases() {
    return (NAME.isEmpty() ? OperationCases.all() : OperationCases.matching(NAME)).stream();
  }
}
