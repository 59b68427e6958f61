// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Inputs;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Closing;
import dev.weft.device.Kernel;
import dev.weft.device.ReductionFunction;
import dev.weft.nn.LabelLoss;
import dev.weft.nn.Loss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Sums of losses and metrics, kept on the device and read when somebody asks: first the loss, then
 * all accuracies over all rows, whose hits one kernel adds up, then the others, at last the weights
 * of batches, where a loss has some.
 */
final class MetricSums implements AutoCloseable {
  private final Device device;
  private final Loss loss;
  private final List<Metric> metrics; // in the order of their names' first mention
  private final List<Accuracy> accuracies = new ArrayList<>();
  private final List<Metric> others = new ArrayList<>();
  private final Map<String, Tensor> constants = new LinkedHashMap<>(); // of the loss
  private final Tensor sums;

  MetricSums(
      Device device,
      DType dtype,
      Loss loss,
      Map<String, double[]> constants,
      List<Metric> metrics) {
    this.device = device;
    this.loss = loss;
    this.metrics = metrics;
    for (Metric metric : metrics) {
      if (metric instanceof Accuracy accuracy && accuracy.ignored().isEmpty()) {
        accuracies.add(accuracy);
      } else {
        others.add(metric);
      }
    }
    accuracies.sort((a, b) -> Boolean.compare(isOfLoss(b), isOfLoss(a)));
    long all = 2 + Math.max(1, accuracies.size()) + others.stream().mapToInt(Metric::sums).sum();
    this.sums = device.zeros(dtype, Shape.of(all)).named("metrics");
    try {
      constants.forEach(
          (name, values) ->
              this.constants.put(
                  name, device.tensor(dtype, Shape.of(values.length), values).named(name)));
    } catch (Throwable e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  /** What is measured beside a loss until somebody says what. */
  static List<Metric> usual(Loss loss) {
    return loss instanceof LabelLoss labels
        ? List.of(new Accuracy(1, labels.target(), labels.weights().ignored()))
        : List.of();
  }

  /**
   * Returns the metrics if their names differ.
   *
   * @throws IllegalArgumentException where two have one name, or one that of the loss
   */
  static List<Metric> checked(List<Metric> metrics) {
    Set<String> names = new HashSet<>();
    for (Metric metric : metrics) {
      if (metric.name().equals(Evaluation.LOSS)) {
        throw new IllegalArgumentException(
            "a metric is called 'loss', as the loss is: give it another name");
      }
      if (!names.add(metric.name())) {
        throw new IllegalArgumentException(format("two metrics are called '%s'", metric.name()));
      }
      if (metric.sums() < 1) {
        throw new IllegalArgumentException(
            format("%s adds up %d numbers: at least 1", metric.name(), metric.sums()));
      }
    }
    return List.copyOf(metrics);
  }

  /** Whether the loss counts these hits as it goes. */
  private boolean isOfLoss(Accuracy accuracy) {
    return accuracy.k() == 1
        && loss instanceof LabelLoss labels
        && accuracy.target().equals(labels.target());
  }

  /** Sums of losses, and behind them of the hits that the loss counts as it goes. */
  Tensor sums() {
    return sums;
  }

  void reset() {
    sums.fill(0);
  }

  /**
   * The loss of a batch, and its metrics: runs, or records, what works them out. They are added to
   * the sums by {@link Measured#add}.
   */
  Measured measure(Tape tape, Tensor output, Inputs<Tensor> columns, long rows) {
    Inputs<Tensor> batch = columns.and(constants);
    DType dtype = sums.dtype();
    Tensor hits = tape.make(dtype, Shape.of(accuracies.size(), rows));
    int counted = !accuracies.isEmpty() && isOfLoss(accuracies.getFirst()) ? 1 : 0;
    Tensor value =
        counted == 1
            ? ((LabelLoss) loss).apply(tape, output, batch, hits.view(0, Shape.of(rows)))
            : loss.apply(tape, output, batch);
    checkScalar(value);
    List<Tensor> measured = new ArrayList<>();
    List<Tensor> weighed = new ArrayList<>(); // the loss times its weight, and that
    tape.withoutGradient(
        () -> {
          if (loss.isWeighted()) {
            Tensor weight = loss.sumOfWeights(tape, output, batch);
            weighed.add(tape.multiply(value, weight));
            weighed.add(weight);
          }
          if (counted == metrics.size()) {
            return null;
          }
          Tensor predictions = loss.predictions(tape, output);
          for (int a = counted; a < accuracies.size(); a++) {
            Tensor place = hits.view(a * rows, Shape.of(rows));
            accuracies.get(a).values(tape, predictions, batch, place);
          }
          for (Metric metric : others) {
            measured.add(checked(metric, metric.values(tape, predictions, batch), rows));
          }
          return null;
        });
    return new Measured(value, weighed, rows, hits, measured);
  }

  private void checkScalar(Tensor value) {
    if (value.elements() != 1 || value.dtype() != sums.dtype()) {
      throw new IllegalArgumentException(
          format(
              "the loss %s must give one number of type %s for a batch, not %s",
              loss.spec(), sums.dtype(), Engine.describe(value)));
    }
  }

  private Tensor checked(Metric metric, Tensor values, long rows) {
    if (values.elements() != rows * metric.sums()
        || values.shape().rank() == 0
        || values.shape().size(0) != rows
        || values.dtype() != sums.dtype()) {
      throw new IllegalArgumentException(
          format(
              "the metric %s must give %d numbers of type %s for each of %d rows, not %s",
              metric.name(), metric.sums(), sums.dtype(), rows, Engine.describe(values)));
    }
    return values;
  }

  /**
   * A batch's loss and metrics.
   *
   * @param loss a scalar, from which gradients start
   */
  final class Measured {
    private final Tensor loss;
    private final List<Tensor> weighed;
    private final long rows;
    private final Tensor hits;
    private final List<Tensor> values;

    private Measured(
        Tensor loss, List<Tensor> weighed, long rows, Tensor hits, List<Tensor> values) {
      this.loss = loss;
      this.weighed = weighed;
      this.rows = rows;
      this.hits = hits;
      this.values = values;
    }

    /** The loss, a scalar. */
    Tensor loss() {
      return loss;
    }

    /** Runs, or records, the kernels that add the batch to the sums. */
    void add() {
      long to = Engine.address(sums);
      int bytes = sums.dtype().bytes();
      if (weighed.isEmpty()) {
        add(loss, to, MetricSums.this.loss.weight(rows));
      } else {
        add(weighed.get(0), to, 1);
        add(weighed.get(1), to + bytes * (sums.elements() - 1), 1);
      }
      to += bytes;
      if (!accuracies.isEmpty()) {
        reduce(hits, to, accuracies.size(), 1);
        to += (long) bytes * accuracies.size();
      }
      for (int m = 0; m < values.size(); m++) {
        int wide = others.get(m).sums();
        reduce(values.get(m), to, 1, wide);
        to += (long) bytes * wide;
      }
    }

    /** to += factor x, a scalar. */
    private void add(Tensor x, long to, double factor) {
      Engine.run(
          device,
          Kernel.COPY_ROWS,
          sums.dtype().precision(),
          new Arguments.CopyRows(Engine.address(x), to, 1, 1, 1, 1, factor, true));
    }

    /** to (outer, inner) += sums over the middle axis of x (outer, rows, inner). */
    private void reduce(Tensor x, long to, long outer, long inner) {
      var arguments =
          new Arguments.Reduce(
              Engine.address(x), to, outer, rows, inner, 1, ReductionFunction.SUM, 1, true);
      Engine.run(device, Kernel.REDUCE, sums.dtype().precision(), arguments);
    }
  }

  /** Waits for the device and reads the means over {@code rows}. */
  Evaluation read(long rows) {
    double[] values = sums.toDoubles();
    Map<Metric, Double> found = new LinkedHashMap<>();
    int place = 1;
    for (Accuracy accuracy : accuracies) {
      // an output that is NaN is neither a hit nor a miss
      found.put(accuracy, Double.isNaN(values[0]) ? Double.NaN : values[place] / rows);
      place++;
    }
    for (Metric metric : others) {
      double[] own = Arrays.copyOfRange(values, place, place + metric.sums());
      boolean none = metric instanceof Accuracy && Double.isNaN(values[0]);
      found.put(metric, none ? Double.NaN : metric.of(own, rows));
      place += metric.sums();
    }
    Map<String, Double> named = new LinkedHashMap<>();
    metrics.forEach(metric -> named.put(metric.name(), found.get(metric)));
    double weight = loss.isWeighted() ? values[values.length - 1] : rows;
    boolean nothing = values[0] == 0 && weight == 0; // that counts, so far
    return new Evaluation(nothing ? 0 : values[0] / weight, named, rows);
  }

  @Override
  public void close() {
    Closing closing = new Closing();
    constants.values().forEach(each -> closing.run(each::close));
    closing.run(sums::close);
    closing.finish();
  }
}
