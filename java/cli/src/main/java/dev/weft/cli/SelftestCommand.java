// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static java.util.Locale.ROOT;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.DeviceKind;
import dev.weft.MathMode;
import dev.weft.check.CheckResult;
import dev.weft.check.OperationCase;
import dev.weft.check.OperationCases;
import dev.weft.check.SelfTest;
import dev.weft.io.AtomicFile;
import dev.weft.profile.Ceilings;
import dev.weft.train.Fusion;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code weft selftest}. */
@Command(
    name = "selftest",
    mixinStandardHelpOptions = true,
    description = {
      "Tests a device against the CPU and measures how fast it is.",
      "Compared are the gradient of every operation with finite differences, results and gradients"
          + " with the CPU's in float64, and a short training run with the same on the CPU."
          + " Measured is how fast the device copies and multiplies."
    },
    footer = {
      "",
      "Examples:",
      "  weft selftest",
      "  weft selftest --device cuda --json selftest.json"
    })
final class SelftestCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "best",
      description = "best, cpu, cuda or cuda:N. Default: ${DEFAULT-VALUE}.")
  private String name;

  @Option(names = "--json", paramLabel = "FILE", description = "A file for all results as JSON.")
  private @Nullable Path json;

  @Option(names = "--quick", description = "Small shapes only, and no measurements.")
  private boolean quick;

  @Option(names = "--verbose", description = "A line for every shape.")
  private boolean verbose;

  @Option(
      names = "--brief",
      description = {
        "As --quick, without finite differences and with 3 steps of training:",
        "for compute-sanitizer and what else slows every kernel down."
      })
  private boolean brief;

  private static final int SMALL = 2000;
  private static final int BRIEF_STEPS = 3;

  private record Report(
      String weft,
      String platform,
      String device,
      String hardware,
      boolean passed,
      List<Map<String, Object>> checks,
      List<Map<String, Object>> training,
      List<Ceilings.Ceiling> ceilings) {}

  @Override
  public Integer call() throws IOException {
    if (json != null) {
      SideFile.check(json);
    }
    PrintWriter out = main.screen().out();
    try (Device device = Device.named(name)) {
      out.printf(ROOT, "device %s (%s)%n%n", device.name(), device.description());
      List<OperationCase> cases = OperationCases.all();
      CheckTable table = new CheckTable(out, cases, CheckTable.rows(verbose));
      boolean cpu = device.kind() == DeviceKind.CPU;
      // the CPU's float64 beside itself says something only where it differs
      Predicate<CheckResult> telling =
          result ->
              !cpu
                  || !result.passed()
                  || result.check() != CheckResult.Kind.PARITY
                  || result.dtype() != DType.F64;
      SelfTest test =
          new SelfTest(
              device,
              result -> {
                if (telling.test(result)) {
                  table.add(result);
                }
              });
      if (quick || brief) {
        test.elements(SMALL);
      }
      List<CheckResult> checks =
          (brief ? test.parity(cases) : test.run()).stream().filter(telling).toList();
      boolean passed = table.finish() == Main.SUCCESS;
      List<TwinTraining.Outcome> training = new ArrayList<>();
      for (MathMode math : MathMode.values()) {
        for (Fusion fusion : TwinTraining.fusions(math)) {
          TwinTraining.Outcome outcome =
              TwinTraining.run(device, math, fusion, brief ? BRIEF_STEPS : TwinTraining.STEPS);
          training.add(outcome);
          passed &= outcome.passed();
          if (cpu && outcome.passed()) {
            continue;
          }
          out.printf(
              ROOT,
              "%s training%s: losses of %d steps differ from the CPU's by %.2e at most (tolerance"
                  + " %.0e): %s%n",
              Choice.word(math),
              fusion == Fusion.ALWAYS ? ", fused" : "",
              outcome.steps(),
              outcome.error(),
              outcome.tolerance(),
              outcome.passed() ? "ok" : "WRONG");
        }
      }
      if (cpu) {
        out.println("results in float64 and training were not compared: this is the CPU");
      }
      List<Ceilings.Ceiling> ceilings = quick || brief ? List.of() : measure(device, out);
      out.println(passed ? "self-test passed" : "self-test FAILED");
      if (json != null) {
        write(
            json,
            new Report(
                Version.weft(),
                Version.platform(),
                device.name(),
                device.description(),
                passed,
                checks.stream().map(SelftestCommand::entry).toList(),
                training.stream().map(SelftestCommand::entry).toList(),
                ceilings));
        out.println("wrote " + json);
      }
      return passed ? Main.SUCCESS : Main.FAILURE;
    }
  }

  private static List<Ceilings.Ceiling> measure(Device device, PrintWriter out) {
    Ceilings machine = new Ceilings(device);
    List<Ceilings.Ceiling> ceilings = new ArrayList<>();
    ceilings.add(machine.copy());
    for (int size : machine.productSizes()) {
      ceilings.add(machine.gemm(MathMode.STRICT, size));
      ceilings.add(machine.gemm(MathMode.FAST, size));
      ceilings.add(machine.gemm(MathMode.BF16, size));
    }
    for (Ceilings.Ceiling each : ceilings) {
      out.printf(ROOT, "%s: %,.0f %s%n", each.name(), each.value(), each.unit());
    }
    return ceilings;
  }

  private static Map<String, Object> entry(CheckResult result) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("operation", result.operation());
    entry.put("check", Choice.word(result.check()));
    entry.put("shapes", result.shapes());
    entry.put("dtype", Choice.word(result.dtype()));
    entry.put("error", Json.finite(result.error()));
    entry.put("tolerance", result.tolerance());
    entry.put("passed", result.passed());
    entry.put("verdict", Choice.word(result.verdict()));
    entry.put("milliseconds", result.milliseconds());
    entry.put("detail", result.detail());
    return entry;
  }

  private static Map<String, Object> entry(TwinTraining.Outcome outcome) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("math", Choice.word(outcome.math()));
    entry.put("fusion", Choice.word(outcome.fusion()));
    entry.put("steps", outcome.steps());
    entry.put("error", Json.finite(outcome.error()));
    entry.put("tolerance", outcome.tolerance());
    entry.put("passed", outcome.passed());
    return entry;
  }

  private static void write(Path json, Report report) throws IOException {
    AtomicFile.write(json, Json.pages(report) + "\n");
  }
}
