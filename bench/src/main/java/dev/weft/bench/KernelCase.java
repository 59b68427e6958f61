// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.op.Nonlinearity;
import dev.weft.op.Reduction;

/**
 * A kernel over a matrix (rows, cols) of float32, with the bytes that it must read and write:
 * nothing is counted twice, and what a kernel reads again from a cache is not counted.
 */
public enum KernelCase {
  /** The yardstick: x to y. */
  COPY(Kernel.COPY_ROWS, 8) {
    @Override
    Arguments arguments(KernelMemory m) {
      return new Arguments.CopyRows(m.x(), m.y(), m.rows(), m.cols(), m.cols(), m.cols(), 1, false);
    }
  },
  FILL(Kernel.FILL, 4) {
    @Override
    Arguments arguments(KernelMemory m) {
      return new Arguments.Fill(m.y(), m.n(), 1);
    }
  },
  RELU_FORWARD(Kernel.BIAS_ACTIVATION_FORWARD, 8) {
    @Override
    Arguments arguments(KernelMemory m) {
      return forward(m, Nonlinearity.RELU);
    }
  },
  RELU_BACKWARD(Kernel.BIAS_ACTIVATION_BACKWARD, 12) {
    @Override
    Arguments arguments(KernelMemory m) {
      return backward(m, Nonlinearity.RELU);
    }
  },
  TANH_FORWARD(Kernel.BIAS_ACTIVATION_FORWARD, 8) {
    @Override
    Arguments arguments(KernelMemory m) {
      return forward(m, Nonlinearity.TANH);
    }
  },
  GELU_FORWARD(Kernel.BIAS_ACTIVATION_FORWARD, 8) {
    @Override
    Arguments arguments(KernelMemory m) {
      return forward(m, Nonlinearity.GELU);
    }
  },
  GELU_BACKWARD(Kernel.BIAS_ACTIVATION_BACKWARD, 12) {
    @Override
    Arguments arguments(KernelMemory m) {
      return backward(m, Nonlinearity.GELU);
    }
  },
  /** Loss and gradient in one pass. */
  SOFTMAX_CROSS_ENTROPY(Kernel.SOFTMAX_CROSS_ENTROPY, 8) {
    @Override
    Arguments arguments(KernelMemory m) {
      return new Arguments.SoftmaxCrossEntropy(
          m.x(), m.labels(), m.z(), m.y(), 0, m.rows(), m.cols(), 0, 1.0 / m.rows());
    }

    @Override
    long work(KernelMemory m) {
      return m.cols() > 1024 ? m.rows() : (m.rows() + 7) / 8;
    }
  },
  DROPOUT(Kernel.DROPOUT, 8) {
    @Override
    Arguments arguments(KernelMemory m) {
      return new Arguments.Dropout(m.x(), m.y(), m.state(), m.n(), 0, 0.2, false);
    }
  },
  /** Value, gradient and velocity read; value and velocity written. */
  SGD_MOMENTUM(Kernel.SGD, 20) {
    @Override
    Arguments arguments(KernelMemory m) {
      return new Arguments.Sgd(m.x(), m.y(), m.z(), m.state(), m.n(), 0.9, 0, 0, false);
    }
  },
  /** Value, gradient and two moments read; value and moments written. */
  ADAM(Kernel.ADAM, 28) {
    @Override
    Arguments arguments(KernelMemory m) {
      return new Arguments.Adam(
          m.x(), m.y(), m.z(), m.w(), m.state(), m.n(), 0.9, 0.999, 1e-8, 0, 0);
    }
  },
  /** Every row to one number. */
  SUM_OF_ROWS(Kernel.REDUCE, 4) {
    @Override
    Arguments arguments(KernelMemory m) {
      return sum(m, m.rows(), m.cols(), 1, 1);
    }

    @Override
    long work(KernelMemory m) {
      return m.rows();
    }
  },
  /** Every column to one number: the gradient of a bias. */
  SUM_OF_COLUMNS(Kernel.REDUCE, 4) {
    @Override
    Arguments arguments(KernelMemory m) {
      return sum(m, 1, m.rows(), m.cols(), 1);
    }

    @Override
    long work(KernelMemory m) {
      return m.cols();
    }
  },
  /** Everything to 256 partial sums, the first stage of two. */
  SUM_OF_ALL(Kernel.REDUCE, 4) {
    @Override
    Arguments arguments(KernelMemory m) {
      return sum(m, 1, m.n(), 1, 256);
    }

    @Override
    long work(KernelMemory m) {
      return 256;
    }
  },
  /** Bytes to floats, rows in a random order: a batch taken from the data. */
  GATHER_ROWS_U8(Kernel.GATHER_ROWS_U8, 5) {
    @Override
    Arguments arguments(KernelMemory m) {
      return new Arguments.GatherRows(
          m.x(), m.order(), 0, m.y(), m.rows(), m.cols(), m.rows(), 1 / 255.0, 0);
    }
  },
  TRANSPOSE(Kernel.TRANSPOSE, 8) {
    @Override
    Arguments arguments(KernelMemory m) {
      return new Arguments.Transpose(m.x(), m.y(), m.rows(), m.cols(), false);
    }

    @Override
    long work(KernelMemory m) {
      return ((m.rows() + 31) / 32) * ((m.cols() + 31) / 32);
    }
  },
  RANDOM_NORMAL(Kernel.RANDOM_NORMAL, 4) {
    @Override
    Arguments arguments(KernelMemory m) {
      return new Arguments.Random(m.y(), m.n(), 1, 0, 0, 0, 1);
    }
  };

  private final Kernel kernel;
  private final int bytesPerElement;

  KernelCase(Kernel kernel, int bytesPerElement) {
    this.kernel = kernel;
    this.bytesPerElement = bytesPerElement;
  }

  /** What is launched. */
  Kernel kernel() {
    return kernel;
  }

  /** Bytes that must be read and written for each element. */
  int bytesPerElement() {
    return bytesPerElement;
  }

  abstract Arguments arguments(KernelMemory memory);

  /** Work items, as the contract counts them. */
  long work(KernelMemory memory) {
    return memory.n();
  }

  private static Arguments forward(KernelMemory m, Nonlinearity function) {
    return new Arguments.BiasActivationForward(
        m.x(), m.b(), m.y(), m.rows(), m.cols(), function.ordinal(), 0);
  }

  private static Arguments backward(KernelMemory m, Nonlinearity function) {
    return new Arguments.BiasActivationBackward(
        m.x(), m.b(), m.x(), m.y(), m.z(), m.rows(), m.cols(), function.ordinal(), 0, false);
  }

  private static Arguments sum(KernelMemory m, long outer, long count, long inner, long parts) {
    return new Arguments.Reduce(
        m.x(), m.y(), outer, count, inner, parts, Reduction.Function.SUM.ordinal(), 1, false);
  }
}
