// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.device.Arguments;
import dev.weft.device.BinaryFunction;
import dev.weft.device.Cost;
import dev.weft.device.Kernel;
import dev.weft.device.Nonlinearity;
import dev.weft.device.Precision;
import dev.weft.device.ReductionFunction;
import dev.weft.device.UnaryFunction;
import dev.weft.op.Reduction;

/** A kernel over a matrix (rows, cols). */
public enum KernelCase {
  /** The yardstick: x to y. */
  COPY(Kernel.COPY_ROWS) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.CopyRows(m.x(), m.y(), m.rows(), m.cols(), m.cols(), m.cols(), 1, false);
    }
  },
  FILL(Kernel.FILL) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.Fill(m.y(), m.n(), 1);
    }
  },
  RELU_FORWARD(Kernel.BIAS_ACTIVATION_FORWARD) {
    @Override
    Arguments arguments(Operands m) {
      return forward(m, Nonlinearity.RELU);
    }
  },
  RELU_BACKWARD(Kernel.BIAS_ACTIVATION_BACKWARD) {
    @Override
    Arguments arguments(Operands m) {
      return backward(m, Nonlinearity.RELU);
    }
  },
  /** With the sums of the columns' parts: the gradient of a bias. */
  RELU_GRADIENTS(Kernel.BIAS_ACTIVATION_GRADIENTS) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.BiasActivationGradients(
          0,
          0,
          m.x(),
          m.y(),
          m.z(),
          m.w(),
          m.rows(),
          m.cols(),
          parts(m),
          Nonlinearity.RELU,
          0,
          false);
    }
  },
  TANH_FORWARD(Kernel.BIAS_ACTIVATION_FORWARD) {
    @Override
    Arguments arguments(Operands m) {
      return forward(m, Nonlinearity.TANH);
    }
  },
  GELU_FORWARD(Kernel.BIAS_ACTIVATION_FORWARD) {
    @Override
    Arguments arguments(Operands m) {
      return forward(m, Nonlinearity.GELU);
    }
  },
  GELU_BACKWARD(Kernel.BIAS_ACTIVATION_BACKWARD) {
    @Override
    Arguments arguments(Operands m) {
      return backward(m, Nonlinearity.GELU);
    }
  },
  /** Loss and gradient in one pass. */
  SOFTMAX_CROSS_ENTROPY(Kernel.SOFTMAX_CROSS_ENTROPY) {
    @Override
    Arguments.SoftmaxCrossEntropy arguments(Operands m) {
      return new Arguments.SoftmaxCrossEntropy(
          m.x(), m.labels(), m.z(), m.y(), 0, m.rows(), m.cols(), 0, 1.0 / m.rows());
    }
  },
  DROPOUT(Kernel.DROPOUT) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.Dropout(m.x(), m.y(), m.state(), m.n(), 0, 0.2, false);
    }
  },
  /** Value, gradient and velocity read; value and velocity written. */
  SGD_MOMENTUM(Kernel.SGD) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.Sgd(m.x(), m.y(), m.z(), 0, m.state(), m.n(), 0.9, 0, 0, false);
    }
  },
  /** Value, gradient and two moments read; value and moments written. */
  ADAM(Kernel.ADAM) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.Adam(
          m.x(), m.y(), m.z(), m.w(), 0, m.state(), m.n(), 0.9, 0.999, 1e-8, 0, 0);
    }
  },
  /** Every row to one number. */
  SUM_OF_ROWS(Kernel.REDUCE) {
    @Override
    Arguments.Reduce arguments(Operands m) {
      return sum(m, m.rows(), m.cols(), 1, 1);
    }
  },
  /** Every column to its parts' sums, the first stage of two: the gradient of a bias. */
  SUM_OF_COLUMNS(Kernel.REDUCE) {
    @Override
    Arguments.Reduce arguments(Operands m) {
      return sum(m, 1, m.rows(), m.cols(), parts(m));
    }
  },
  /** Everything to partial sums, the first stage of two. */
  SUM_OF_ALL(Kernel.REDUCE) {
    @Override
    Arguments.Reduce arguments(Operands m) {
      return sum(m, 1, m.n(), 1, Reduction.parts(1, m.n(), 1));
    }
  },
  /** Bytes to floats, rows in a random order: a batch taken from the data. */
  GATHER_ROWS_U8(Kernel.GATHER_ROWS_U8) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.GatherRows(
          m.pixels(), m.order(), 0, m.y(), m.rows(), m.cols(), m.rows(), 1 / 255.0, 0);
    }
  },
  TRANSPOSE(Kernel.TRANSPOSE) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.Transpose(m.x(), m.y(), m.rows(), m.cols(), false);
    }
  },
  EXP_FORWARD(Kernel.UNARY_FORWARD) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.UnaryForward(m.x(), m.y(), m.n(), UnaryFunction.EXP, 0);
    }
  },
  EXP_BACKWARD(Kernel.UNARY_BACKWARD) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.UnaryBackward(
          m.x(), m.y(), m.w(), m.z(), m.n(), UnaryFunction.EXP, 0, false);
    }
  },
  MULTIPLY_FORWARD(Kernel.BINARY_FORWARD) {
    @Override
    Arguments arguments(Operands m) {
      BinaryFunction product = BinaryFunction.MULTIPLY;
      return new Arguments.BinaryForward(
          m.x(), m.y(), m.z(), 1, 1, m.rows(), m.cols(), 0, 0, m.cols(), 1, 0, 0, m.cols(), 1,
          product);
    }
  },
  MULTIPLY_BACKWARD(Kernel.BINARY_BACKWARD) {
    @Override
    Arguments arguments(Operands m) {
      BinaryFunction product = BinaryFunction.MULTIPLY;
      return new Arguments.BinaryBackward(
          m.x(), m.y(), m.w(), m.z(), 0, 1, 1, m.rows(), m.cols(), 0, 0, m.cols(), 1, 0, 0,
          m.cols(), 1, product, false, false);
    }
  },
  SUM_BACKWARD(Kernel.REDUCE_BACKWARD) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.ReduceBackward(
          m.x(), m.y(), m.z(), m.rows(), m.cols(), 1, ReductionFunction.SUM, 1, false);
    }
  },
  MAX_BACKWARD(Kernel.MAX_BACKWARD) {
    @Override
    Arguments.MaxBackward arguments(Operands m) {
      return new Arguments.MaxBackward(m.x(), m.y(), m.w(), m.z(), m.rows(), m.cols(), 1, false);
    }
  },
  GATHER_ROWS(Kernel.GATHER_ROWS) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.GatherRows(
          m.x(), m.order(), 0, m.y(), m.rows(), m.cols(), m.rows(), 1, 0);
    }
  },
  /** Adds up in what is there, a little at a time. */
  GATHER_ROWS_BACKWARD(Kernel.GATHER_ROWS_BACKWARD) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.GatherRowsBackward(
          m.order(), m.x(), m.y(), m.rows(), m.cols(), m.rows(), 1e-6);
    }
  },
  GATHER_LABELS(Kernel.GATHER_LABELS) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.GatherLabels(m.labels(), m.order(), 0, m.found(), m.rows(), m.rows());
    }
  },
  ARGMAX(Kernel.ARGMAX) {
    @Override
    Arguments.Argmax arguments(Operands m) {
      return new Arguments.Argmax(m.x(), m.found(), m.rows(), m.cols());
    }
  },
  /** x to half as many bytes. */
  TO_BF16(Kernel.F32_TO_BF16) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.Cast(m.x(), m.half(), m.n(), false);
    }
  },
  FROM_BF16(Kernel.BF16_TO_F32) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.Cast(m.half(), m.y(), m.n(), false);
    }
  },
  RANDOM_UNIFORM(Kernel.RANDOM_UNIFORM) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.Random(m.y(), m.n(), 1, 0, 0, 0, 1);
    }
  },
  RANDOM_NORMAL(Kernel.RANDOM_NORMAL) {
    @Override
    Arguments arguments(Operands m) {
      return new Arguments.Random(m.y(), m.n(), 1, 0, 0, 0, 1);
    }
  };

  private final Kernel kernel;

  KernelCase(Kernel kernel) {
    this.kernel = kernel;
  }

  /** What is launched. */
  public Kernel kernel() {
    return kernel;
  }

  /** As it is printed. */
  public String word() {
    return name().toLowerCase(ROOT);
  }

  /** What it moves and computes. */
  public Cost cost(KernelSize size) {
    return Cost.of(kernel, Precision.F32, arguments(Operands.nowhere(size)));
  }

  /** Runs it once. */
  public void run(Device device, KernelMemory memory) {
    Operands operands = memory.operands();
    device.run(kernel, memory.precision(), arguments(operands));
  }

  abstract Arguments arguments(Operands operands);

  /** Of the rows, as a layer cuts them. */
  private static long parts(Operands m) {
    return Reduction.parts(1, m.rows(), m.cols());
  }

  private static Arguments forward(Operands m, Nonlinearity function) {
    return new Arguments.BiasActivationForward(
        m.x(), m.b(), m.y(), m.rows(), m.cols(), function, 0);
  }

  private static Arguments backward(Operands m, Nonlinearity function) {
    return new Arguments.BiasActivationBackward(
        m.x(), m.b(), m.x(), m.y(), m.z(), m.rows(), m.cols(), function, 0, false);
  }

  private static Arguments.Reduce sum(Operands m, long outer, long count, long inner, long parts) {
    return new Arguments.Reduce(
        m.x(), m.y(), outer, count, inner, parts, ReductionFunction.SUM, 1, false);
  }
}
