// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import dev.weft.device.Arguments;

/** The work items that the library gives a kernel, by its arguments alone. */
final class LaunchedWork {
  private LaunchedWork() {}

  /** The same as the callers in the library say, which {@link LaunchedWorkTest} sees. */
  static long of(Arguments arguments) {
    return switch (arguments) {
      case Arguments.BiasActivationForward a -> a.rows() * a.cols();
      case Arguments.BiasActivationBackward a -> a.rows() * a.cols();
      case Arguments.BiasActivationGradients a -> a.parts() * a.cols();
      case Arguments.SoftmaxCrossEntropy a -> a.work();
      case Arguments.Dropout a -> a.n();
      case Arguments.UnaryForward a -> a.n();
      case Arguments.UnaryBackward a -> a.n();
      case Arguments.BinaryForward a -> a.d0() * a.d1() * a.d2() * a.d3();
      case Arguments.BinaryBackward a -> a.d0() * a.d1() * a.d2() * a.d3();
      case Arguments.Reduce a -> a.work();
      case Arguments.ReduceBackward a -> a.outer() * a.count() * a.inner();
      case Arguments.MaxBackward a -> a.work();
      case Arguments.GatherRows a -> a.rows() * a.cols();
      case Arguments.GatherRowsBackward a -> a.cols();
      case Arguments.GatherLabels a -> a.rows();
      case Arguments.Argmax a -> a.work();
      case Arguments.Fill a -> a.n();
      case Arguments.CopyRows a -> a.rows() * a.cols();
      case Arguments.Transpose a -> ((a.rows() + 31) / 32) * ((a.cols() + 31) / 32);
      case Arguments.Random a -> a.n();
      case Arguments.Cast a -> a.n();
      case Arguments.Sgd a -> a.n();
      case Arguments.Adam a -> a.n();
      case Arguments.AdvanceStep a -> 1;
      case Arguments.Gemm a -> a.m() * a.n();
      // that of the update hangs on the layers, which lie in memory
      case Arguments.FusedPass a -> a.rows();
      case Arguments.FusedUpdate a -> throw new IllegalArgumentException(a.toString());
    };
  }
}
