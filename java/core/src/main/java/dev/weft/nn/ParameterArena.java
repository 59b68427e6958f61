// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.DType;
import dev.weft.Device;
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

/**
 * The memory of all parameters of one network: values and gradients, each one flat block in which
 * every parameter has its place, so that an optimizer's step over all of them is one kernel. Places
 * start at multiples of 64 bytes; the gaps between hold zeros.
 *
 * <p>Under BF16 values and gradients are F32, and layers see a rounded copy of the values, which
 * the optimizer writes along with them.
 */
public final class ParameterArena implements AutoCloseable {
  private static final long ALIGNMENT = 64;

  private final List<Parameter> parameters;
  private final Tensor values;
  private final Tensor gradients;
  private final Tensor copy;
  private final Map<Parameter, Tensor> places = new IdentityHashMap<>();
  private final Map<Parameter, Tensor> seen = new IdentityHashMap<>(); // by layers
  private boolean closed;

  /**
   * Takes memory for the parameters; values are undefined, gaps are zero. The parameters stay where
   * they are until {@link #bind}.
   *
   * @param dtype what layers compute in
   */
  public ParameterArena(Device device, DType dtype, List<Parameter> parameters) {
    this.parameters = parameters;
    DType wide = dtype.wide();
    long elements = 0;
    for (Parameter parameter : parameters) {
      elements += padded(parameter, wide);
    }
    Shape shape = Shape.of(elements);
    List<Tensor> taken = new ArrayList<>();
    try {
      taken.add(device.zeros(wide, shape).named("parameters"));
      taken.add(device.zeros(wide, shape).named("gradients"));
      if (dtype != wide) {
        taken.add(device.zeros(dtype, shape).named("parameters in " + dtype));
      }
    } catch (RuntimeException e) {
      taken.forEach(Tensor::close);
      throw e;
    }
    values = taken.get(0);
    gradients = taken.get(1);
    copy = dtype == wide ? null : taken.get(2);
    long start = 0;
    for (Parameter parameter : parameters) {
      places.put(parameter, values.view(start, parameter.shape()).named(parameter.name()));
      Tensor from = copy == null ? values : copy;
      Tensor tensor = from.view(start, parameter.shape()).named(parameter.name());
      tensor.requiresGrad();
      tensor.gradInto(
          gradients.view(start, parameter.shape()).named("gradient of " + parameter.name()));
      seen.put(parameter, tensor);
      start += padded(parameter, wide);
    }
  }

  /** Binds the parameters to this memory. */
  public void bind() {
    values.address();
    seen.forEach(Parameter::bind);
  }

  private static long padded(Parameter parameter, DType dtype) {
    long grain = ALIGNMENT / dtype.bytes();
    return (parameter.shape().elements() + grain - 1) / grain * grain;
  }

  /** All values, flat: F32 under BF16. */
  public Tensor values() {
    return values;
  }

  /** The values of one parameter among {@link #values}. */
  public Tensor values(Parameter parameter) {
    return places.get(parameter);
  }

  /** The rounded copy of all values that layers see under BF16; else null, they see the values. */
  public Tensor copy() {
    return copy;
  }

  /** Rounds the values anew, after something else than the optimizer has written them. */
  public void updateCopy() {
    if (copy != null) {
      Cast.run(values.device(), values, new Node.Sink(copy, false));
      copy.changed();
    }
  }

  /** All gradients, flat. */
  public Tensor gradients() {
    return gradients;
  }

  /** Makes the next backward pass start from zero. */
  public void zeroGradients() {
    gradients.address();
    parameters.forEach(parameter -> parameter.tensor().zeroGrad());
  }

  /** Fills the gradients that the backward pass did not reach with zeros. */
  public void fillMissingGradients() {
    for (Parameter parameter : parameters) {
      if (parameter.tensor().grad() == null) {
        parameter.tensor().gradMemory().fill(0);
      }
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
    seen.forEach(Parameter::unbind);
    Closing.all(values, gradients, copy);
  }
}
