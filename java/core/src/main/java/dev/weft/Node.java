// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.op.Operation;
import java.util.List;

/** One application of an operation on a tape: its inputs, its output and what it remembers. */
public final class Node {
  /**
   * Where a gradient goes.
   *
   * @param tensor memory of the input's shape
   * @param accumulate whether to add to what is there; else it is to be overwritten
   */
  public record Sink(Tensor tensor, boolean accumulate) {}

  private final Tape tape;
  private final Operation operation;
  private final List<Tensor> inputs;
  private final String layer;
  private final int[] versions;

  @SuppressWarnings("NullAway.Init") // known when the operation has run
  private Tensor output;

  private int outputVersion;
  private List<Tensor> saved = List.of();
  private long draw = -1;

  Node(Tape tape, Operation operation, List<Tensor> inputs) {
    this.tape = tape;
    this.operation = operation;
    this.inputs = inputs;
    this.layer = tape.device().recorder().layer();
    this.versions = new int[inputs.size()];
    for (int i = 0; i < versions.length; i++) {
      versions[i] = inputs.get(i).block().version();
    }
  }

  /** The device that computes. */
  public Device device() {
    return tape.device();
  }

  /** Whether the pass is for training. */
  public boolean isTraining() {
    return tape.isTraining();
  }

  /** How precise products are. */
  public MathMode math() {
    return tape.math();
  }

  /** The state that random draws follow. */
  public StepState state() {
    return tape.state();
  }

  /** What was applied. */
  public Operation operation() {
    return operation;
  }

  /** The layer that applied it, the label of its gradients' kernels. */
  String layer() {
    return layer;
  }

  /** What it was applied to. */
  public List<Tensor> inputs() {
    return inputs;
  }

  /** One input. */
  public Tensor input(int index) {
    return inputs.get(index);
  }

  /** The result. */
  public Tensor output() {
    return output;
  }

  void output(Tensor output) {
    this.output = output;
    this.outputVersion = output.block().version();
  }

  /** Whether a tensor was changed since the operation was applied to it or made it. */
  boolean isChanged(Tensor tensor) {
    int at = inputs.indexOf(tensor);
    return tensor.block().version() != (at < 0 ? outputVersion : versions[at]);
  }

  /** Returns if what the operation was applied to, and its result, are as they were then. */
  void checkUnchanged() {
    for (int i = 0; i < versions.length; i++) {
      if (!operation.moves(i)) {
        checkUnchanged(inputs.get(i), versions[i]);
      }
    }
    checkUnchanged(output, outputVersion);
  }

  private void checkUnchanged(Tensor tensor, int version) {
    if (tensor.block().version() != version) {
      throw new IllegalStateException(
          format(
              "backward through %s: %s was changed after the forward pass, so that gradients would"
                  + " be wrong: change it after backward, or use a copy",
              operation.name(), tensor.describe()));
    }
  }

  /** A tensor owned by the tape, contents undefined. */
  public Tensor make(DType dtype, Shape shape) {
    return tape.make(dtype, shape);
  }

  /** Gives a tensor made by {@link #make} back to the tape before the tape closes. */
  public void release(Tensor scratch) {
    tape.release(scratch);
  }

  /** Remembers tensors that were made by {@link #make} for the backward pass. */
  public void save(Tensor... tensors) {
    saved = List.of(tensors);
  }

  /** What was remembered. */
  public Tensor saved(int index) {
    return saved.get(index);
  }

  /**
   * Takes what was remembered, to be handed on with {@link #adopt}: a copy where another backward
   * pass may ask for it.
   */
  public Tensor takeSaved(int index) {
    Tensor tensor = saved.get(index);
    if (!tape.gradients().savedOnce()) {
      return tape.gradients().copyOf(tensor);
    }
    saved = saved.stream().filter(other -> other != tensor).toList();
    return tensor;
  }

  /**
   * What was remembered, to be read until the tape is closed: row numbers for {@link #addRows},
   * which are looked at when the whole backward pass is over.
   */
  public Tensor keepSaved(int index) {
    Tensor tensor = saved.get(index);
    if (tape.gradients().savedOnce()) {
      saved = saved.stream().filter(other -> other != tensor).toList();
    }
    return tensor;
  }

  void releaseSaved() {
    saved.forEach(tape::release);
    saved = List.of();
  }

  /** Its number among the draws of the tape, which its random values follow. */
  public long draw() {
    if (draw < 0) {
      draw = tape.nextDraw();
    }
    return draw;
  }

  /** Whether an input wants a gradient. */
  public boolean wants(int index) {
    return inputs.get(index).hasGradient();
  }

  /** The gradient of the output. */
  public Tensor gradient() {
    return tape.gradients().of(output);
  }

  /** Whether the gradient of the output is the 1 that a backward pass starts from. */
  public boolean gradientIsOne() {
    return tape.gradients().isOne(output);
  }

  /**
   * Where the gradient of an input goes, in the input's type; the caller writes it before it asks
   * for that of the same input again.
   */
  public Sink into(int index) {
    return into(index, inputs.get(index).dtype());
  }

  /**
   * Where the gradient of an input goes, in a type that the caller can write: the gradient's own
   * memory where it has that type, else memory that is converted when the operation's backward pass
   * is over.
   */
  public Sink into(int index, DType dtype) {
    return tape.gradients().into(inputs.get(index), dtype);
  }

  /** The type of an input's gradient: its own, or its wide one where it is not of this tape. */
  public DType gradientType(int index) {
    return tape.gradients().type(inputs.get(index));
  }

  /**
   * Makes a tensor of this tape the gradient of an input, without a copy where there is none yet.
   * The tensor now belongs to that input.
   */
  public void adopt(int index, Tensor gradient) {
    tape.gradients().adopt(inputs.get(index), gradient);
  }

  /**
   * Adds to the gradient of a table, an input whose {@link Tensor#isGradRows}: row i of {@code dy},
   * a tensor made by {@link #make} or {@link #takeGradient} that is given away, to the row of which
   * {@code ids} has the number at i.
   */
  public void addRows(int index, Tensor ids, Tensor dy) {
    tape.gradients().addRows(this, inputs.get(index), ids, dy);
  }

  /**
   * Takes the gradient of the output, to be changed in place and handed on with {@link #adopt}. The
   * output has none afterwards.
   */
  public Tensor takeGradient() {
    return tape.gradients().take(output);
  }

  /** Runs a kernel in the first input's precision. */
  public void run(Kernel kernel, Arguments arguments) {
    run(kernel, inputs.get(0).dtype(), arguments);
  }

  /** Runs a kernel over a type. */
  public void run(Kernel kernel, DType dtype, Arguments arguments) {
    tape.device().run(kernel, dtype.precision(), arguments);
  }
}
