// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What runs on a GPU measured, beside what Weft wants to reach there. A number that is missing is
 * said to be missing; losses stand beside wins.
 */
public final class Targets {
  /** What Weft's memory-bound kernels are to reach of a copy's bytes a second. */
  static final double SHARE_OF_COPY = 0.90;

  /** PyTorch's time / Weft's for a product: at most 3 % behind. */
  static final double PRODUCT = 0.97;

  private static final String GPU = "cuda:0";
  private static final String MEMORY = "memory";
  private static final String NONE = "";
  private static final String NOT_MEASURED = "not measured";
  private static final String TORCH = "PyTorch";
  private static final List<String> MODES = List.of("STRICT", "FAST", "BF16");

  private static final List<String> KERNELS =
      List.of(
          "relu_forward",
          "relu_backward",
          "relu_gradients",
          "gelu_forward",
          "gelu_backward",
          "softmax_cross_entropy",
          "dropout",
          "layer_norm_forward",
          "layer_norm_backward",
          "sgd_momentum",
          "adam");

  private static final List<String> PRODUCTS =
      List.of("4096 x 4096 x 4096, forward", "8192 x 8192 x 8192, forward");

  /** Whether a target was reached. */
  public enum Outcome {
    /** It was. */
    MET,
    /** It was not. */
    MISSED,
    /** A number is missing. */
    NOT_MEASURED;

    static Outcome of(Optional<Double> value, double least) {
      return value.map(number -> number >= least ? MET : MISSED).orElse(NOT_MEASURED);
    }

    /** As it is printed. */
    public String word() {
      return name().toLowerCase(ROOT).replace('_', ' ');
    }
  }

  /**
   * One target.
   *
   * @param what it asks for
   * @param found the number, or that it is missing
   */
  public record Verdict(Outcome outcome, String what, String found) {}

  private final Results results;
  private final List<Verdict> verdicts = new ArrayList<>();
  private final List<Table> tables = new ArrayList<>();

  /** Of runs that were joined. */
  public Targets(Results results) {
    this.results = results;
    tables.add(kernels());
    tables.add(products());
    tables.add(steps());
    Table compared = new Tables(results).compare();
    if (!compared.isEmpty()) {
      tables.add(compared);
    }
  }

  /** Every target. */
  public List<Verdict> verdicts() {
    return List.copyOf(verdicts);
  }

  /** Where and when, and all tables, in Markdown. */
  public String markdown() {
    StringBuilder text = new StringBuilder();
    String gpu =
        results.machine().devices().stream()
            .filter(device -> device.name().equals(GPU))
            .map(Machine.Described::description)
            .findFirst()
            .orElse("no GPU");
    if (gpu.contains("not a GPU")) {
      text.append("**A rehearsal over the emulator: no figure here is one of a GPU.**\n\n");
    }
    text.append(format("%s; %s; %s\n", gpu, results.machine().text(), results.date()));
    tables.forEach(table -> text.append('\n').append(table.markdown()));
    if (new Tables(results).compare().isEmpty()) {
      text.append("\nWeft on the GPU beside Weft on the CPU: not measured\n");
    }
    long met = verdicts.stream().filter(one -> one.outcome() == Outcome.MET).count();
    long missed = verdicts.stream().filter(one -> one.outcome() == Outcome.MISSED).count();
    return text.append(
            format(
                "\nOf %d targets %d were met, %d missed, %d not measured.\n",
                verdicts.size(), met, missed, verdicts.size() - met - missed))
        .toString();
  }

  private String verdict(Outcome outcome, String what, String found) {
    verdicts.add(new Verdict(outcome, what, found));
    return outcome.word();
  }

  /** Of a step of Weft's: one whose losses differ reaches nothing. */
  private String verdict(Optional<Measurement> weft, Outcome outcome, String what, String found) {
    if (weft.filter(results::disagrees).isEmpty()) {
      return verdict(outcome, what, found);
    }
    return verdict(
        outcome == Outcome.MET ? Outcome.MISSED : outcome, what, found + ", LOSSES DIFFER");
  }

  private Table kernels() {
    Table table =
        new Table(
            "Kernels on operands of 128 MiB, where a copy moves 268 MB",
            1,
            "kernel",
            "us",
            "GB/s",
            "of a copy",
            "target",
            "result");
    Optional<Double> copy = Roofs.of(results, GPU).copy(MEMORY);
    table.add(
        "copy",
        NONE,
        copy.map(Targets::whole).orElse(NOT_MEASURED),
        copy.isPresent() ? "100 %" : NONE,
        NONE,
        NONE);
    Set<String> names = new LinkedHashSet<>(KERNELS);
    results.of(Part.KERNELS).stream()
        .filter(one -> one.device().equals(GPU) && one.group().equals(MEMORY))
        .forEach(one -> names.add(one.name()));
    for (String name : names) {
      Optional<Measurement> kernel = find(Part.KERNELS, MEMORY, name, Measurement.WEFT, "STRICT");
      Optional<Double> rate = kernel.map(Measurement::gigabytesPerSecond);
      Optional<Double> share = rate.flatMap(value -> copy.map(roof -> value / roof));
      String found =
          share
              .map(value -> format("%,.0f GB/s, %.0f %% of a copy", rate.get(), 100 * value))
              .orElse(NOT_MEASURED);
      boolean wanted = KERNELS.contains(name);
      table.add(
          name,
          micros(kernel),
          rate.map(Targets::whole).orElse(NOT_MEASURED),
          share.map(value -> format("%.0f %%", 100 * value)).orElse(NONE),
          wanted ? "90 %" : NONE,
          wanted
              ? verdict(Outcome.of(share, SHARE_OF_COPY), name + ": 90 % of a copy", found)
              : NONE);
    }
    return table;
  }

  private Table products() {
    Table table =
        new Table(
            "Products beside PyTorch's; PyTorch / Weft above 1: Weft is faster",
            2,
            "m x k x n",
            "mode",
            "Weft, us",
            "TFLOP/s",
            "PyTorch, us",
            "TFLOP/s",
            "PyTorch / Weft",
            "target",
            "result");
    for (String name : PRODUCTS) {
      String size = name.replace(", forward", NONE);
      for (String mode : MODES) {
        Optional<Measurement> weft = find(Part.CEILINGS, Roofs.GEMM, name, Measurement.WEFT, mode);
        Optional<Measurement> torch = find(Part.CEILINGS, Roofs.GEMM, name, TORCH, mode);
        Optional<Ratio> ratio = ratio(torch, weft);
        table.add(
            size,
            mode,
            micros(weft),
            teraflops(weft),
            micros(torch),
            teraflops(torch),
            ratio.map(Ratio::text).orElse(NONE),
            ">= 0.97",
            verdict(
                Outcome.of(ratio.map(Ratio::median), PRODUCT),
                format("%s %s: within 3 %% of PyTorch", size, mode),
                ratio
                    .map(
                        one -> format("%s TFLOP/s, PyTorch / Weft %s", teraflops(weft), one.text()))
                    .orElse(NOT_MEASURED)));
      }
    }
    return table;
  }

  private Table steps() {
    Table table =
        new Table(
            "Training steps beside PyTorch's; / Weft above 1: Weft is faster",
            4,
            "network",
            "batch",
            "mode",
            "side",
            "us",
            "5 % - 95 %",
            "/ Weft",
            "of gemm",
            "target",
            "result");
    String small = "784-512-512-10";
    String wide = "4096-4096-4096-4096-4096";
    for (String mode : MODES) {
      Optional<Measurement> weft = step(small, "batch 128", Measurement.WEFT, mode);
      String what = small + "/128 " + mode;
      row(
          table,
          weft,
          List.of(small, "batch 128", mode, Measurement.WEFT),
          Optional.empty(),
          "<= 30 us",
          verdict(
              weft,
              Outcome.of(weft.map(one -> -one.times().median()), -30),
              what + ": at most 30 us",
              weft.map(one -> format("%.1f us", one.times().median())).orElse(NOT_MEASURED)));
      beside(table, weft, small, "batch 128", mode, "eager", 5);
      beside(table, weft, small, "batch 128", mode, "graph", 1.3);
      beside(table, weft, small, "batch 128", mode, "compile", 0);
    }
    Optional<Measurement> weft = step(wide, "batch 8192", Measurement.WEFT, "BF16");
    Optional<Double> share = weft.flatMap(this::shareOfProducts);
    row(
        table,
        weft,
        List.of(wide, "batch 8192", "BF16", Measurement.WEFT),
        Optional.empty(),
        "60 % of gemm",
        verdict(
            weft,
            Outcome.of(share, 0.60),
            wide + "/8192 BF16: 60 % of the product ceiling",
            share.map(value -> format("%.0f %%", 100 * value)).orElse(NOT_MEASURED)));
    beside(table, weft, wide, "batch 8192", "BF16", "compile", 1);
    beside(table, weft, wide, "batch 8192", "BF16", "eager", 0);
    beside(table, weft, wide, "batch 8192", "BF16", "graph", 0);
    others(table, small, wide);
    return table;
  }

  /** What was measured, too, and has no target. */
  private void others(Table table, String small, String wide) {
    for (Measurement one : results.of(Part.STEPS)) {
      boolean shown =
          one.group().equals(small) && one.name().equals("batch 128")
              || one.group().equals(wide)
                  && one.name().equals("batch 8192")
                  && one.mode().equals("BF16");
      if (one.device().equals(GPU) && !shown) {
        Optional<Measurement> weft =
            step(one.group(), one.name(), Measurement.WEFT, one.mode()).filter(w -> !one.isWeft());
        row(
            table,
            Optional.of(one),
            List.of(one.group(), one.name(), one.mode(), one.side()),
            weft.map(twin -> Ratio.of(one, twin)),
            NONE,
            NONE);
      }
    }
  }

  /** A step of PyTorch; a target of 0 is none. */
  private void beside(
      Table table,
      Optional<Measurement> weft,
      String network,
      String batch,
      String mode,
      String how,
      double least) {
    Optional<Measurement> torch = step(network, batch, TORCH + " " + how, mode);
    Optional<Ratio> ratio = ratio(torch, weft);
    String result =
        least == 0
            ? NONE
            : verdict(
                weft,
                Outcome.of(ratio.map(Ratio::median), least),
                format(
                    "%s/%s %s: %s",
                    network, batch.replace("batch ", NONE), mode, wanted(how, least)),
                ratio.map(Ratio::text).orElse(NOT_MEASURED));
    row(
        table,
        torch,
        List.of(network, batch, mode, TORCH + " " + how),
        ratio,
        least == 0 ? NONE : ">= " + least,
        result);
  }

  private static String wanted(String how, double least) {
    String side =
        switch (how) {
          case "eager" -> "PyTorch eager";
          case "graph" -> "PyTorch with CUDA graphs";
          default -> "torch.compile";
        };
    return least == 1 ? "not behind " + side : least + " x as fast as " + side;
  }

  private void row(
      Table table,
      Optional<Measurement> one,
      List<String> words,
      Optional<Ratio> ratio,
      String target,
      String result) {
    List<String> cells = new ArrayList<>(words);
    cells.add(micros(one));
    cells.add(
        one.map(it -> format("%s - %s", micros(it.times().low()), micros(it.times().high())))
            .orElse(NONE));
    cells.add(ratio.map(Ratio::text).orElse(NONE));
    cells.add(
        one.flatMap(this::shareOfProducts)
            .map(share -> format("%.0f %%", 100 * share))
            .orElse(NONE));
    cells.add(target);
    cells.add(result);
    table.add(cells.toArray(String[]::new));
  }

  /** Of the fastest product in the same arithmetic, whoever ran it. */
  private Optional<Double> shareOfProducts(Measurement one) {
    return Roofs.of(results, GPU).gemm(one.mode()).map(roof -> one.gigaflops() / roof);
  }

  private static Optional<Ratio> ratio(Optional<Measurement> slow, Optional<Measurement> fast) {
    return slow.flatMap(above -> fast.map(below -> Ratio.of(above, below)));
  }

  private Optional<Measurement> step(String network, String batch, String side, String mode) {
    return find(Part.STEPS, network, batch, side, mode);
  }

  private Optional<Measurement> find(
      Part part, String group, String name, String side, String mode) {
    return results
        .where(
            one ->
                one.part() == part
                    && one.group().equals(group)
                    && one.name().equals(name)
                    && one.side().equals(side)
                    && one.mode().equals(mode)
                    && one.device().equals(GPU))
        .stream()
        .findFirst();
  }

  private static String micros(Optional<Measurement> one) {
    return one.map(it -> micros(it.times().median())).orElse(NOT_MEASURED);
  }

  private static String micros(double value) {
    return format(value < 100 ? "%.1f" : "%,.0f", value);
  }

  private static String teraflops(Optional<Measurement> one) {
    return one.map(it -> format("%.1f", it.gigaflops() / 1e3)).orElse(NONE);
  }

  private static String whole(double number) {
    return format("%,.0f", number);
  }
}
