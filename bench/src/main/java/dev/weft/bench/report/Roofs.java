// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import java.util.Comparator;
import java.util.Optional;

/**
 * What a device can do at best, by the ceilings that the same run measured: no more bytes a second
 * than a copy moves, no more arithmetic than a large product does.
 */
public final class Roofs {
  /** The group of measured copies. */
  public static final String COPY = "copy";

  /** The group of measured products. */
  public static final String GEMM = "gemm";

  private final Results results;
  private final String device;

  private Roofs(Results results, String device) {
    this.results = results;
    this.device = device;
  }

  /** Of one device. */
  public static Roofs of(Results results, String device) {
    return new Roofs(results, device);
  }

  /** GB/s of a copy of operands of this size, such as {@code memory}. */
  public Optional<Double> copy(String size) {
    return results.of(Part.CEILINGS).stream()
        .filter(one -> one.device().equals(device) && one.group().equals(COPY))
        .filter(one -> one.name().equals(size))
        .map(Measurement::gigabytesPerSecond)
        .max(Comparator.naturalOrder());
  }

  private Optional<Double> beside(Measurement kernel) {
    return results.of(kernel.part()).stream()
        .filter(one -> one.device().equals(device) && one.side().equals(Measurement.COPY))
        .filter(one -> one.group().equals(kernel.group()) && one.name().equals(kernel.name()))
        .map(Measurement::gigabytesPerSecond)
        .findFirst();
  }

  /** GFLOP/s of the fastest product in this arithmetic. */
  public Optional<Double> gemm(String mode) {
    return results.of(Part.CEILINGS).stream()
        .filter(one -> one.device().equals(device) && one.group().equals(GEMM))
        .filter(one -> one.mode().equals(mode))
        .map(Measurement::gigaflops)
        .max(Comparator.naturalOrder());
  }

  /**
   * The share of its ceiling that a kernel reaches: the nearer one of bytes and arithmetic. The
   * bytes are those of the copy that was measured beside it, where one was.
   */
  public Optional<Double> share(Measurement kernel) {
    Optional<Double> bytes =
        beside(kernel)
            .or(() -> copy(kernel.group()))
            .map(roof -> kernel.gigabytesPerSecond() / roof);
    Optional<Double> flops = gemm(kernel.mode()).map(roof -> kernel.gigaflops() / roof);
    return bytes.isPresent() && flops.isPresent()
        ? Optional.of(Math.max(bytes.get(), flops.get()))
        : bytes.or(() -> flops);
  }
}
