// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.op.Cast;
import dev.weft.op.RowSums;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where the gradients of one tape go. The first contribution to a gradient overwrites, later ones
 * add, so nothing is ever filled with zeros. A gradient of an intermediate result lies in the
 * tape's memory and has one owner, which lets it be changed in place and handed on; it has the
 * result's type. That of any other tensor has the wide type, in which it can add up.
 */
final class Gradients {
  private final Tape tape;
  private boolean retained;
  private boolean resultsReleased;
  private @Nullable Tensor one;
  private final List<Conversion> conversions = new ArrayList<>();

  private final Map<Tensor, List<LookedUp>> tables = new LinkedHashMap<>();

  /** What one application gives to rows of a table. */
  private record LookedUp(Node node, Tensor ids, Tensor dy) {}

  /** What an operation wrote in another type than the gradient has. */
  private record Conversion(Tensor input, Tensor written, Node.Sink sink) {}

  Gradients(Tape tape) {
    this.tape = tape;
  }

  /** Keeps gradients of intermediate results after they are used. */
  void retain() {
    retained = true;
  }

  boolean isRetained() {
    return retained;
  }

  /** Gives results back as soon as no gradient needs them any more. */
  void releaseResults() {
    resultsReleased = true;
  }

  /** Starts from the gradient 1 of the scalar y, written only if somebody reads it. */
  void startFromOne(Tensor y, List<Node> nodes) {
    start(y, nodes);
    one = y;
    if (retained) {
      of(y);
    }
  }

  /** Whether the gradient of an output is 1 and nobody has asked for it in memory. */
  boolean isOne(Tensor output) {
    return output == one;
  }

  /** The gradient of an output. */
  Tensor of(Tensor output) {
    if (isOne(output)) {
      memory(output).fill(1);
      one = null;
    }
    return memory(output);
  }

  private static Tensor memory(Tensor tensor) {
    return Objects.requireNonNull(tensor.gradMemory(), tensor::name);
  }

  /** Forgets the gradients of the pass before and says where that of y goes. */
  Node.Sink start(Tensor y, List<Node> nodes) {
    if (nodes.stream().noneMatch(node -> node.output() == y)) {
      throw notComputedHere(y);
    }
    checkUnchanged(y, nodes);
    one = null;
    conversions.clear();
    tables.clear();
    nodes.forEach(node -> node.output().gradFilled(false));
    return into(y, y.dtype());
  }

  static IllegalArgumentException notComputedHere(Tensor y) {
    return new IllegalArgumentException(
        y.describe() + " was not computed on this tape from anything that requires a gradient");
  }

  /** Asked before anything is written: a refused backward pass has no effect. */
  private static void checkUnchanged(Tensor y, List<Node> nodes) {
    Set<Tensor> reached = new HashSet<>(Set.of(y));
    for (int i = nodes.size() - 1; i >= 0; i--) {
      Node node = nodes.get(i);
      if (reached.contains(node.output())) {
        node.checkUnchanged();
        checkNoRows(node);
        reached.addAll(node.inputs());
      }
    }
  }

  /** The rows of an earlier pass may lie in memory that is gone. */
  private static void checkNoRows(Node node) {
    for (Tensor input : node.inputs()) {
      if (input.rowGradient() != null) {
        throw new IllegalStateException(
            format(
                "the rows of a backward pass before are the gradient of %s: call zeroGrad first,"
                    + " since gradients of rows do not add up over passes",
                input.describe()));
      }
    }
  }

  /** Runs the backward of every node that has a gradient, last first; y keeps its value. */
  void walk(Tensor y, List<Node> nodes) {
    for (int i = nodes.size() - 1; i >= 0; i--) {
      Node node = nodes.get(i);
      Tensor output = node.output();
      if (output.grad() == null) {
        continue;
      }
      tape.device().recorder().layer(node.layer());
      node.operation().backward(node);
      convert();
      if (!retained && output.gradMemory() != null) {
        tape.release(output.gradMemory());
        output.dropGrad();
      }
      // all that read this result came later on the tape, so it is not needed again; unless it is a
      // view of an input, which the node that made that input may read
      if (resultsReleased) {
        node.releaseSaved();
        if (output.block() != y.block() && ownsMemory(node)) {
          tape.release(output);
        }
      }
    }
    sumRows();
  }

  void addRows(Node node, Tensor table, Tensor ids, Tensor dy) {
    tables.computeIfAbsent(table, key -> new ArrayList<>()).add(new LookedUp(node, ids, dy));
  }

  /** Adds up, for each table, what all that looked up rows of it gave. */
  private void sumRows() {
    tables.forEach(
        (table, parts) -> {
          Node node = parts.getFirst().node();
          tape.device().recorder().layer(node.layer());
          Tensor ids = parts.getFirst().ids();
          Tensor dy = parts.getFirst().dy();
          if (parts.size() > 1) {
            ids = RowSums.concatIds(node, parts.stream().map(LookedUp::ids).toList());
            dy = RowSums.concat(node, parts.stream().map(LookedUp::dy).toList());
            parts.forEach(part -> tape.release(part.dy()));
          }
          table.rowGradient(RowSums.of(node, ids, dy));
          tape.release(dy);
        });
    tables.clear();
  }

  private static boolean ownsMemory(Node node) {
    return node.operation().overwritesInput()
        || node.inputs().stream().noneMatch(input -> input.block() == node.output().block());
  }

  DType type(Tensor input) {
    if (input.gradMemory() != null) {
      return input.gradMemory().dtype();
    }
    return input.isIntermediate() ? input.dtype() : input.dtype().wide();
  }

  Node.Sink into(Tensor input, DType dtype) {
    if (conversions.stream().anyMatch(each -> each.input() == input)) {
      convert();
    }
    boolean accumulate = input.grad() != null;
    if (input.gradMemory() == null) {
      Tensor memory =
          input.isIntermediate()
              ? tape.make(type(input), input.shape())
              : tape.device().allocate(type(input), input.shape());
      input.gradInto(memory.named("gradient of " + input.name()));
    }
    input.gradFilled(true);
    Node.Sink sink = new Node.Sink(memory(input), accumulate);
    if (dtype == sink.tensor().dtype()) {
      return sink;
    }
    Tensor written = tape.make(dtype, input.shape());
    conversions.add(new Conversion(input, written, sink));
    return new Node.Sink(written, false);
  }

  /** Brings what was written in another type to where it belongs. */
  private void convert() {
    for (Conversion each : conversions) {
      Cast.run(tape.device(), each.written(), each.sink());
      tape.release(each.written());
    }
    conversions.clear();
  }

  void adopt(Tensor input, Tensor gradient) {
    if (input.gradMemory() == null && input.isIntermediate()) {
      input.gradInto(gradient.named("gradient of " + input.name()));
      input.gradFilled(true);
      return;
    }
    copy(gradient, into(input, gradient.dtype()));
    tape.release(gradient);
  }

  Tensor take(Tensor output) {
    Tensor gradient = of(output);
    if (retained) {
      return copyOf(gradient);
    }
    output.dropGrad();
    return gradient;
  }

  /** Whether what a node saved is asked for once, because there is no second pass. */
  boolean savedOnce() {
    return resultsReleased;
  }

  Tensor copyOf(Tensor tensor) {
    Tensor copy = tape.make(tensor.dtype(), tensor.shape());
    copy(tensor, new Node.Sink(copy, false));
    return copy;
  }

  void copy(Tensor from, Node.Sink sink) {
    long n = from.elements();
    tape.device()
        .run(
            Kernel.COPY_ROWS,
            from.dtype().precision(),
            new Arguments.CopyRows(
                from.address(), sink.tensor().address(), 1, n, n, n, 1, sink.accumulate()));
  }
}
