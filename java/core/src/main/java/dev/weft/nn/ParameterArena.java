// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Parameter;
import dev.weft.Shape;
import dev.weft.Tensor;
import java.util.List;

/**
 * The memory of all parameters of one network: values and gradients, each one flat block in which
 * every parameter has its place, so that an optimizer's step over all of them is one kernel. Places
 * start at multiples of 64 bytes; the gaps between hold zeros.
 */
public final class ParameterArena implements AutoCloseable {
  private static final long ALIGNMENT = 64;

  private final List<Parameter> parameters;
  private final Tensor values;
  private final Tensor gradients;

  /** Takes memory for the parameters and binds them to it; values are undefined, gaps are zero. */
  public ParameterArena(Device device, DType dtype, List<Parameter> parameters) {
    this.parameters = parameters;
    long elements = 0;
    for (Parameter parameter : parameters) {
      elements += padded(parameter, dtype);
    }
    values = device.zeros(dtype, Shape.of(elements)).named("parameters");
    try {
      gradients = device.zeros(dtype, Shape.of(elements)).named("gradients");
    } catch (RuntimeException e) {
      values.close();
      throw e;
    }
    long start = 0;
    for (Parameter parameter : parameters) {
      Tensor tensor = values.view(start, parameter.shape()).named(parameter.name());
      tensor.requiresGrad();
      tensor.gradInto(
          gradients.view(start, parameter.shape()).named("gradient of " + parameter.name()));
      parameter.bind(tensor);
      start += padded(parameter, dtype);
    }
  }

  private static long padded(Parameter parameter, DType dtype) {
    long grain = ALIGNMENT / dtype.bytes();
    return (parameter.shape().elements() + grain - 1) / grain * grain;
  }

  /** All values, flat. */
  public Tensor values() {
    return values;
  }

  /** All gradients, flat. */
  public Tensor gradients() {
    return gradients;
  }

  /** Makes the next backward pass start from zero. */
  public void zeroGradients() {
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

  @Override
  public void close() {
    parameters.forEach(parameter -> parameter.bind(null));
    values.close();
    gradients.close();
  }
}
