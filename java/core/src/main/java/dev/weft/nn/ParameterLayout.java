// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Parameter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/**
 * The order in which the parameters of a network lie in memory: those with dense gradients first,
 * group after group, so that the gradients are one block without gaps and a step over a group is
 * one kernel; then tables with gradients of rows; then what is frozen. Buffers lie by themselves,
 * since they change in the forward pass.
 *
 * @param groups the dense ones of each group
 * @param tables the tables
 * @param frozen what training leaves as it is
 * @param buffers the buffers
 */
public record ParameterLayout(
    List<List<Parameter>> groups,
    List<Parameter> tables,
    List<Parameter> frozen,
    List<Parameter> buffers) {

  /** One group. */
  static ParameterLayout of(Collection<Parameter> parameters) {
    return of(parameters, 1, parameter -> 0);
  }

  /** So many groups, of which a function says each parameter's. */
  public static ParameterLayout of(
      Collection<Parameter> parameters, int count, ToIntFunction<Parameter> group) {
    List<List<Parameter>> groups = new ArrayList<>();
    for (int g = 0; g < count; g++) {
      int number = g;
      groups.add(
          parameters.stream()
              .filter(each -> is(each, Parameter.Kind.DENSE) && group.applyAsInt(each) == number)
              .toList());
    }
    return new ParameterLayout(
        groups,
        parameters.stream().filter(each -> is(each, Parameter.Kind.ROWS)).toList(),
        parameters.stream()
            .filter(each -> !each.isTrained() && each.kind() != Parameter.Kind.BUFFER)
            .toList(),
        parameters.stream().filter(each -> each.kind() == Parameter.Kind.BUFFER).toList());
  }

  private static boolean is(Parameter parameter, Parameter.Kind kind) {
    return parameter.isTrained() && parameter.kind() == kind;
  }

  List<Parameter> dense() {
    return groups.stream().flatMap(List::stream).toList();
  }

  /** All but the buffers. */
  List<Parameter> flat() {
    return Stream.of(dense(), tables, frozen).flatMap(List::stream).toList();
  }
}
