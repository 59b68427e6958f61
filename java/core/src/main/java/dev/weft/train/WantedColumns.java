// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Inputs;
import dev.weft.RowType;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.nn.Loss;
import dev.weft.nn.Network;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/**
 * That a network, a loss and a data set fit together, and which columns they need.
 *
 * @param inputs the columns that the network takes
 * @param targets the columns that the loss and the metrics take
 * @param constants what the loss takes that is the same for all batches
 */
record WantedColumns(Set<String> inputs, Set<String> targets, Map<String, double[]> constants) {

  /**
   * Looks at what a row of each column is.
   *
   * @param what the data set's role in messages
   * @throws IllegalArgumentException that says what does not fit
   */
  static WantedColumns of(
      Network network, Loss loss, List<Metric> metrics, Dataset data, String what) {
    Map<String, RowType> types = new LinkedHashMap<>();
    for (Map.Entry<String, Column> column : data.columns().entrySet()) {
      types.put(column.getKey(), column.getValue().type());
    }
    Inputs<RowType> inputs = Inputs.of(types);
    Inputs<RowType> targets = Inputs.of(types);
    RowType output;
    try {
      output = network.output(inputs);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          format("the %s does not fit the network: %s", what, e.getMessage()), e);
    }
    network.check(loss);
    try {
      loss.check(output, targets);
      loss.checkValues(output, data::column);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          format("the %s does not fit the loss: %s", what, e.getMessage()), e);
    }
    for (Metric metric : metrics) {
      try {
        metric.check(output, targets);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            format("the %s does not fit the metric %s: %s", what, metric.name(), e.getMessage()),
            e);
      }
    }
    return new WantedColumns(inputs.taken(), targets.taken(), loss.constants(output));
  }

  /**
   * The columns of a batch and the type that their numbers have there: what the network computes
   * in, and for the loss alone the wide one.
   */
  SequencedMap<String, DType> wanted(DType dtype) {
    SequencedMap<String, DType> wanted = new LinkedHashMap<>();
    inputs.forEach(name -> wanted.put(name, dtype));
    targets.forEach(name -> wanted.putIfAbsent(name, dtype.wide()));
    return wanted;
  }
}
