// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.device.Closing;
import dev.weft.device.Pool;
import dev.weft.graph.Graph;
import dev.weft.op.Operands;
import dev.weft.op.Operation;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Records operations as they run and takes gradients in reverse order. What it makes lives until it
 * is closed; {@link #backward} adds the gradients of everything that {@link Tensor#requiresGrad}
 * was called on. The operations themselves are the methods of {@link Operations}.
 *
 * {@snippet file="Examples.java" region="tape"}
 *
 * <p>A gradient is the sum over all uses of a tensor and over all backward passes since {@link
 * Tensor#zeroGrad}. Gradients of intermediate results are given back as soon as they are used,
 * unless {@link #retainGradients} was called.
 *
 * <p>What an operation was applied to, and its result, must stay as they are until backward: one
 * that finds them changed is refused, also where its formula would not have read them.
 */
public final class Tape implements Operations, AutoCloseable {

  /** What the pass is for. */
  public enum Mode {
    /** Operations are recorded, dropout drops, batch norm takes the batch's mean and variance. */
    TRAIN,
    /**
     * Dropout passes everything on, batch norm takes running values; nothing is recorded, but on a
     * tape of {@link #recordedInference}.
     */
    INFER
  }

  private final Device device;
  private final Mode mode;
  private final Pool pool;
  private final List<Node> nodes = new ArrayList<>();
  private @Nullable StepState state;
  private final boolean ownsState;
  private final long seed;
  private final long step;
  private long draws;
  private final Gradients gradients = new Gradients(this);
  private boolean recording;
  private MathMode math = MathMode.STRICT;
  private boolean closed;

  /** A tape for training, whose random draws differ from those of every tape made before it. */
  public Tape(Device device) {
    this(device, null, 0, device.nextTape(), Mode.TRAIN, device.pool());
  }

  /** A tape for training, whose random draws are those of {@code seed}, step 0. */
  public Tape(Device device, long seed) {
    this(device, null, seed, 0, Mode.TRAIN, device.pool());
  }

  /** A tape whose random draws follow {@code state}, which must stay open as long as the tape. */
  public Tape(Device device, StepState state, Mode mode) {
    this(device, state, 0, 0, mode, device.pool());
  }

  /** The same, with its memory from {@code pool}, which is closed with the tape. */
  public Tape(Device device, StepState state, Mode mode, Pool pool) {
    this(device, state, 0, 0, mode, pool);
  }

  private Tape(
      Device device, @Nullable StepState state, long seed, long step, Mode mode, Pool pool) {
    if (state != null && state.device() != device) {
      throw new IllegalArgumentException(
          format("a step state on %s does not serve a tape on %s", state.device(), device));
    }
    if (!device.owns(pool)) {
      throw new IllegalArgumentException(
          format("a pool of another device does not serve a tape on %s", device));
    }
    this.device = device;
    this.pool = pool;
    this.state = state;
    this.ownsState = state == null;
    this.seed = seed;
    this.step = step;
    this.mode = mode;
    this.recording = mode == Mode.TRAIN;
  }

  /** A tape that records nothing and drops nothing. */
  public static Tape inference(Device device) {
    return new Tape(device, null, 0, 0, Mode.INFER, device.pool());
  }

  /**
   * A tape for gradients of what a network predicts: dropout passes everything on, batch norm takes
   * its running values and leaves them, and operations are recorded.
   */
  public static Tape recordedInference(Device device) {
    Tape tape = inference(device);
    tape.recording = true;
    return tape;
  }

  /** A tape that records nothing, where dropout drops as {@code seed} says. */
  static Tape unrecorded(Device device, long seed) {
    Tape tape = new Tape(device, seed);
    tape.recording = false;
    return tape;
  }

  @Override
  public Device device() {
    return device;
  }

  /** What the pass is for. */
  public Mode mode() {
    return mode;
  }

  @Override
  public boolean isTraining() {
    return mode == Mode.TRAIN;
  }

  @Override
  public Tensor full(DType dtype, Shape shape, double value) {
    if (!dtype.isFloating()) {
      throw new IllegalArgumentException(
          format("full %s needs a floating-point type, not %s", shape, dtype));
    }
    Tensor tensor = make(dtype, shape).named("full");
    tensor.fill(value);
    return tensor;
  }

  @Override
  public void assign(Tensor buffer, Tensor value) {
    check("assign", Operands.any("buffer").andAny("value").atLeast(2), buffer, value);
    if (buffer.hasGradient() || !buffer.shape().equals(value.shape())) {
      throw new IllegalArgumentException(
          format(
              "assign: %s is set to %s: the shapes must agree, and a buffer has no gradient",
              buffer.describe(), value.describe()));
    }
    if (isTraining()) {
      Tensor given = withoutGradient(() -> cast(value, buffer.dtype()));
      gradients.copy(given, new Node.Sink(buffer, false));
      buffer.changed();
    }
  }

  @Override
  public Tape math(MathMode math) {
    check();
    this.math = math;
    return this;
  }

  /** How precise products are: {@link MathMode#STRICT} until something else was said. */
  public MathMode math() {
    return math;
  }

  /** The recorded operations in the order they ran. */
  public List<Node> nodes() {
    return Collections.unmodifiableList(nodes);
  }

  /**
   * The graph of everything that was recorded, with its values and the gradients that are there:
   * those of intermediate results where {@link #retainGradients} was called before backward.
   *
   * @throws IllegalStateException where nothing was recorded
   */
  public Graph draw() {
    check();
    if (nodes.isEmpty()) {
      throw new IllegalStateException(
          "nothing was recorded that could be drawn: "
              + (recording
                  ? "no input of an operation requires a gradient"
                  : "a tape for inference records nothing"));
    }
    return new RecordedGraph(nodes, gradients.isRetained()).graph();
  }

  /**
   * The graph of a result: what it was computed from, as {@link #draw()} shows it.
   *
   * @throws IllegalArgumentException where {@code y} was not computed on this tape from anything
   *     that requires a gradient
   */
  public Graph draw(Tensor y) {
    check();
    Set<Tensor> needed = new HashSet<>(Set.of(y));
    List<Node> reached = new ArrayList<>();
    for (Node node : nodes.reversed()) {
      if (needed.contains(node.output())) {
        reached.addFirst(node);
        needed.addAll(node.inputs());
      }
    }
    if (reached.isEmpty()) {
      throw Gradients.notComputedHere(y);
    }
    return new RecordedGraph(reached, gradients.isRetained()).graph();
  }

  /** Keeps the gradients of intermediate results until the tape is closed. Returns this tape. */
  public Tape retainGradients() {
    check();
    gradients.retain();
    return this;
  }

  /**
   * Gives results back during the backward pass, as soon as no gradient needs them: training then
   * takes the memory of one batch of activations and little more. What backward started from stays
   * readable, other results do not, and there is no second pass. Returns this tape.
   */
  public Tape releaseResults() {
    check();
    gradients.releaseResults();
    return this;
  }

  @Override
  public <R> R withoutGradient(Supplier<R> body) {
    check();
    boolean before = recording;
    recording = false;
    try {
      return body.get();
    } finally {
      recording = before;
    }
  }

  @Override
  public Tensor apply(Operation operation, Tensor... inputs) {
    return applied(operation, inputs).output();
  }

  /** Applies an operation, and gives all that is known of the application. */
  Node applied(Operation operation, Tensor... inputs) {
    String name = operation.name();
    check(name, operation.operands(), inputs);
    for (int i = 0; recording && i < inputs.length; i++) {
      if (inputs[i].isGradRows() && !operation.looksUp(i)) {
        throw new IllegalArgumentException(
            format(
                "%s would change all rows of the table %s, whose gradient is a list of those that"
                    + " were looked up: make its gradient dense",
                name, inputs[i].describe()));
      }
    }
    List<Tensor> list = recording ? List.of(inputs) : withoutGradients(inputs);
    Node node = new Node(this, operation, list);
    Tensor output = operation.forward(node);
    int passed = list.indexOf(output);
    if (passed >= 0) {
      node.output(inputs[passed]);
      return node;
    }
    node.output(output.named(name));
    if (output.dtype().isFloating() && list.stream().anyMatch(Tensor::hasGradient)) {
      output.requiresGrad();
      output.madeOn(this);
      nodes.add(node);
    }
    return node;
  }

  @Override
  public void check(String what, Operands operands, Tensor... inputs) {
    check();
    for (int i = 0; i < inputs.length; i++) {
      if (inputs[i] == null) {
        throw new IllegalArgumentException(format("%s: tensor %d is null", what, i));
      }
      inputs[i].address(); // throws where it is closed
      checkDevice(what, inputs[i]);
      if (recording) {
        checkMadeHere(what, inputs[i]);
      }
    }
    operands.check(what, inputs);
  }

  void checkMadeHere(String what, Tensor tensor) {
    if (tensor.isIntermediate() && tensor.madeOn() != this) {
      throw new IllegalArgumentException(
          format(
              "%s: %s was computed on another tape, where its gradient would not arrive: compute"
                  + " it on this one, or take its values alone, by view or withoutGradient",
              what, tensor.describe()));
    }
  }

  private void checkDevice(String what, Tensor tensor) {
    if (tensor.device() != device) {
      throw new IllegalArgumentException(
          format("%s: %s is not on this tape's device, %s", what, tensor.describe(), device));
    }
  }

  /** The same memory without the wish for a gradient, so that an operation prepares none. */
  private static List<Tensor> withoutGradients(Tensor[] inputs) {
    List<Tensor> list = new ArrayList<>();
    for (Tensor input : inputs) {
      list.add(input.hasGradient() ? input.view(0, input.shape()).named(input.name()) : input);
    }
    return list;
  }

  /**
   * Adds the gradient of a scalar to everything it was computed from.
   *
   * @throws IllegalArgumentException where {@code y} is not a scalar or nothing in it has a
   *     gradient
   * @throws IllegalStateException where something that it was computed from was changed since
   */
  public void backward(Tensor y) {
    check();
    if (y.elements() != 1) {
      throw new IllegalArgumentException(
          format("backward starts from a scalar; %s has %d elements", y.describe(), y.elements()));
    }
    gradients.startFromOne(y, nodes);
    gradients.walk(y, nodes);
  }

  /**
   * Adds the gradient of Σ dy_i y_i to everything that y was computed from.
   *
   * @throws IllegalArgumentException where the shapes, types or devices differ or nothing in {@code
   *     y} has a gradient
   * @throws IllegalStateException where something that it was computed from was changed since
   */
  public void backward(Tensor y, Tensor dy) {
    check();
    dy.address(); // throws where it is closed
    checkDevice("backward", dy);
    if (!y.shape().equals(dy.shape()) || y.dtype() != dy.dtype()) {
      throw new IllegalArgumentException(
          format("a gradient %s does not fit %s", dy.describe(), y.describe()));
    }
    gradients.copy(dy, gradients.start(y, nodes));
    gradients.walk(y, nodes);
  }

  /** A tensor of this tape, contents undefined: for what no operation makes. */
  public Tensor make(DType dtype, Shape shape) {
    check();
    return Tensor.over(device, dtype, shape, pool.allocate(dtype.bytes(shape)));
  }

  void release(Tensor scratch) {
    pool.release(scratch.block());
  }

  Gradients gradients() {
    return gradients;
  }

  /** The number of the next draw of this step. */
  long nextDraw() {
    return draws++;
  }

  /** The state that random draws follow. */
  public StepState state() {
    if (state == null) {
      check();
      StepState made = new StepState(device, seed);
      try {
        made.set(seed, step, 0, 0, 0);
      } catch (RuntimeException e) {
        Closing.after(e, made::close);
        throw e;
      }
      state = made;
    }
    return state;
  }

  /** Whether it was closed. */
  public boolean isClosed() {
    return closed;
  }

  private void check() {
    if (closed) {
      throw new IllegalStateException("the tape on " + device + " is closed");
    }
    device.check();
  }

  /** Gives back everything that this tape made; closing it again does nothing. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    device.checkMayClose();
    closed = true;
    nodes.clear();
    Closing.all(pool, ownsState ? state : null);
  }
}
