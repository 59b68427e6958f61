// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Parameter;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Closing;
import dev.weft.op.Cast;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The memory of all parameters of one network: values and gradients, each one flat block in which
 * every parameter has its place, so that an optimizer's step over all of them is one kernel. Places
 * start at multiples of 64 bytes; the gaps between hold zeros. The gradients end where, in the
 * order of {@link ParameterLayout}, dense ones do.
 *
 * <p>Under BF16 values and gradients are F32, and layers see a rounded copy of the values, which
 * the optimizer writes along with them; buffers they see as they are.
 */
public final class ParameterArena implements AutoCloseable {
  private static final long ALIGNMENT = 64;

  private final ParameterLayout layout;
  private final Tensor values;
  private final Tensor gradients;
  private final @Nullable Tensor copy;
  private final Map<Parameter, Long> starts = new IdentityHashMap<>();
  private final Map<Parameter, Tensor> places = new IdentityHashMap<>();
  private final Map<Parameter, Tensor> seen = new IdentityHashMap<>(); // by layers
  private final Map<Constant, Tensor> constants = new IdentityHashMap<>();
  private @Nullable AutoCloseable kept;
  private @Nullable Object trainedBy;
  private @Nullable Object gradientsOf;
  private boolean closed;

  /**
   * Takes memory for the parameters; values are undefined, gaps are zero. The parameters stay where
   * they are until {@link #bind}.
   *
   * @param dtype what layers compute in
   */
  public ParameterArena(Device device, DType dtype, ParameterLayout layout) {
    this.layout = layout;
    DType wide = dtype.wide();
    long elements = 0;
    for (Parameter parameter : layout.flat()) {
      starts.put(parameter, elements);
      elements += padded(parameter, wide);
    }
    long trained = layout.dense().stream().mapToLong(parameter -> padded(parameter, wide)).sum();
    List<Tensor> taken = new ArrayList<>();
    try {
      taken.add(device.zeros(wide, Shape.of(elements)).named("parameters"));
      taken.add(device.zeros(wide, Shape.of(trained)).named("gradients"));
      if (dtype != wide) {
        taken.add(device.zeros(dtype, Shape.of(elements)).named("parameters in " + dtype));
      }
    } catch (RuntimeException e) {
      taken.forEach(Tensor::close);
      throw e;
    }
    values = taken.get(0);
    gradients = taken.get(1);
    copy = dtype == wide ? null : taken.get(2);
    layout.flat().forEach(this::place);
    try {
      for (Parameter buffer : layout.buffers()) {
        Tensor tensor = device.zeros(wide, buffer.shape()).named(buffer.name());
        places.put(buffer, tensor);
        seen.put(buffer, tensor);
      }
    } catch (RuntimeException e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  private void place(Parameter parameter) {
    long start = start(parameter);
    Shape shape = parameter.shape();
    places.put(parameter, values.view(start, shape).named(parameter.name()));
    Tensor tensor = (copy == null ? values : copy).view(start, shape).named(parameter.name());
    if (parameter.isTrained()) {
      tensor.requiresGrad();
      if (parameter.kind() == Parameter.Kind.ROWS) {
        Engine.gradIsRows(tensor);
      } else {
        Engine.gradInto(
            tensor, gradients.view(start, shape).named("gradient of " + parameter.name()));
      }
    }
    seen.put(parameter, tensor);
  }

  /** Puts a constant beside the parameters; it stays where it is until {@link #bind}. */
  void put(Constant constant) {
    constants.computeIfAbsent(constant, each -> each.on(values.device()));
  }

  /** Binds the parameters, and the constants beside them, to this memory. */
  public void bind() {
    Engine.address(values);
    seen.forEach(Engine::bind);
    constants.forEach(Constant::bind);
  }

  private long start(Parameter parameter) {
    return Objects.requireNonNull(starts.get(parameter), parameter::name);
  }

  private static long padded(Parameter parameter, DType dtype) {
    long grain = ALIGNMENT / dtype.bytes();
    return (parameter.shape().elements() + grain - 1) / grain * grain;
  }

  /** Whether a parameter is bound to this memory. */
  boolean holds(Parameter parameter) {
    return seen.containsKey(parameter) && parameter.tensor() == seen.get(parameter);
  }

  /** All values but those of buffers, flat: F32 under BF16. */
  public Tensor values() {
    return values;
  }

  /** The values that training changes, flat: all of {@link #values} but frozen ones. */
  public Tensor trained() {
    long end = layout.frozen().isEmpty() ? values.elements() : start(layout.frozen().getFirst());
    return values.view(0, Shape.of(end));
  }

  /** The values of one parameter, among {@link #values} or of a buffer. */
  public Tensor values(Parameter parameter) {
    return Objects.requireNonNull(places.get(parameter), parameter::name);
  }

  /** The rounded copy of all values that layers see under BF16; else null, they see the values. */
  public @Nullable Tensor copy() {
    return copy;
  }

  /** Rounds the values anew, after something else than the optimizer has written them. */
  public void updateCopy() {
    if (copy != null) {
      Cast.run(values.device(), values, new Node.Sink(copy, false));
      Engine.changed(copy);
    }
  }

  /** All dense gradients, flat. */
  public Tensor gradients() {
    return gradients;
  }

  /** The order in which they lie. */
  public ParameterLayout layout() {
    return layout;
  }

  /**
   * The values of one group with dense gradients, flat; of {@link #gradients} and {@link #copy} the
   * same places belong to them.
   */
  public Tensor group(Tensor whole, int group) {
    List<Parameter> members = layout.groups().get(group);
    if (members.isEmpty()) {
      return whole.view(0, Shape.of(0));
    }
    long start = start(members.getFirst());
    long end = start(members.getLast()) + padded(members.getLast(), values.dtype());
    return whole.view(start, Shape.of(end - start));
  }

  /** The rounded copy of one parameter that layers see under BF16; else null. */
  public @Nullable Tensor copy(Parameter parameter) {
    return copy == null ? null : copy.view(start(parameter), parameter.shape());
  }

  /** Makes the next backward pass start from zero. */
  public void zeroGradients() {
    Engine.address(gradients);
    gradientsOf = null;
    layout.dense().forEach(parameter -> parameter.tensor().zeroGrad());
    layout.tables().forEach(parameter -> parameter.tensor().zeroGrad());
  }

  /** Forgets the gradients of tables, whose memory goes with the tape that they were taken on. */
  public void forgetRows() {
    layout.tables().forEach(parameter -> Objects.requireNonNull(seen.get(parameter)).zeroGrad());
  }

  /** Whether a backward pass has reached a parameter since gradients were zeroed. */
  public boolean hasGradients() {
    return layout.dense().stream().anyMatch(each -> each.tensor().grad() != null)
        || layout.tables().stream().anyMatch(each -> Engine.rowGradient(each.tensor()) != null);
  }

  /** Notes whose sums over batches the gradients are, until they are zeroed. */
  public void gradientsOf(Object whose) {
    gradientsOf = whose;
  }

  /** Whether they still are. */
  public boolean hasGradientsOf(Object whose) {
    return gradientsOf == whose;
  }

  /** Makes the next backward pass add to the gradients that are there. */
  public void keepGradients() {
    layout.dense().forEach(parameter -> Engine.gradFilled(parameter.tensor(), true));
  }

  /** Fills the gradients that the backward pass did not reach with zeros. */
  public void fillMissingGradients() {
    for (Parameter parameter : layout.dense()) {
      if (parameter.tensor().grad() == null) {
        Objects.requireNonNull(Engine.gradMemory(parameter.tensor())).fill(0);
      }
    }
  }

  /**
   * Keeps what training remembers of the parameters, which is closed with this memory, or when
   * something else is kept.
   */
  public void keep(AutoCloseable remembered) {
    if (kept != remembered) {
      closeKept();
      kept = remembered;
    }
  }

  private void closeKept() {
    @Nullable AutoCloseable before = kept;
    kept = null;
    Closing.all(before);
  }

  /**
   * Returns if no training run changes the parameters.
   *
   * @throws IllegalStateException where one does
   */
  public void checkUntrained() {
    if (trainedBy != null) {
      throw new IllegalStateException(
          "the network is being trained by another run: close that one first");
    }
  }

  /**
   * Notes that a training run changes the parameters from now on.
   *
   * @throws IllegalStateException where another one does
   */
  public void trainedBy(Object run) {
    checkUntrained();
    trainedBy = run;
  }

  /** Notes that a training run is over. */
  public void leftBy(Object run) {
    if (trainedBy == run) {
      trainedBy = null;
    }
  }

  /** Gives the memory back, and the parameters have none; closing it again does nothing. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    values.device().checkMayClose();
    closed = true;
    // those that have been bound to other memory since stay there
    seen.forEach(Engine::unbind);
    constants.forEach(Constant::unbind);
    Closing closing = new Closing();
    closing.run(this::closeKept);
    layout.buffers().stream()
        .filter(places::containsKey)
        .forEach(each -> closing.run(values(each)::close));
    constants.values().forEach(each -> closing.run(each::close));
    closing.run(values::close);
    closing.run(gradients::close);
    if (copy != null) {
      closing.run(copy::close);
    }
    closing.finish();
  }
}
