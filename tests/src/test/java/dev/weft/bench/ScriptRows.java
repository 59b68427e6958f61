// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import java.util.List;
import java.util.stream.Stream;

/** The names of gpu.sh's rows, by what they are for. */
final class ScriptRows {
  static final List<String> AROUND =
      List.of(
          "python",
          "nvidia-smi",
          "doctor",
          "cuBLAS of PyTorch",
          "doctor-named-cublas",
          "cuBLAS in use");

  static final List<String> RIGHT =
      List.of(
          "selftest",
          "gradcheck",
          "brief",
          "harness-check",
          "train-cuda-1",
          "train-cuda-2",
          "train-streamed",
          "train-fast",
          "train-bf16",
          "train-cpu");

  static final List<String> COMPARED =
      List.of(
          "two runs, one seed",
          "streamed and resident data",
          "GPU and CPU",
          "strict and fast",
          "strict and bf16");

  static final List<String> STEPS = List.of("weft-steps-1", "torch-1", "weft-steps-2");

  static final List<String> FAST =
      List.of(
          "harness-time", "weft-kernels", "weft-wide", "profile", "fusion-never", "fusion-always");

  static final List<String> SECOND = List.of("memcheck", "racecheck", "ncu", "torch-compile");

  private ScriptRows() {}

  static List<String> names(List<?>... parts) {
    return Stream.of(parts).flatMap(List::stream).map(String::valueOf).toList();
  }
}
