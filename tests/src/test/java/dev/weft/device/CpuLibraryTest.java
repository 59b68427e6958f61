// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.bench.kernel.KernelCase;
import dev.weft.bench.kernel.KernelCases;
import dev.weft.bench.kernel.KernelMemory;
import dev.weft.data.Digits;
import dev.weft.device.cpu.CpuBackend;
import dev.weft.device.cpu.CpuLibrary;
import dev.weft.nn.Activation;
import dev.weft.nn.Dropout;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The CPU library: one result on every instruction set, and an error for another library. */
class CpuLibraryTest {
  @TempDir Path folder;

  /** A list of numbers that was computed, and how close others must come. */
  private record Result(String name, double tolerance, double[] values) {

    void write(DataOutputStream out) throws IOException {
      out.writeUTF(name);
      out.writeDouble(tolerance);
      out.writeInt(values.length);
      for (double value : values) {
        out.writeDouble(value);
      }
    }

    static Result read(DataInputStream in) throws IOException {
      String name = in.readUTF();
      double tolerance = in.readDouble();
      double[] values = new double[in.readInt()];
      for (int i = 0; i < values.length; i++) {
        values[i] = in.readDouble();
      }
      return new Result(name, tolerance, values);
    }

    /** How often over the tolerance the worst value is, relative to at least 1. */
    double excess(Result other) {
      assertEquals(name, other.name);
      assertEquals(values.length, other.values.length, name);
      double worst = 0;
      for (int i = 0; i < values.length; i++) {
        if (Double.compare(values[i], other.values[i]) == 0) {
          continue; // NaN on both sides, too
        }
        double error = Math.abs(values[i] - other.values[i]) / Math.max(1, Math.abs(values[i]));
        worst = Math.max(worst, Double.isNaN(error) ? Double.MAX_VALUE : error / tolerance);
      }
      return worst;
    }
  }

  /** Every case of every kernel, then some steps of training. */
  private static List<Result> compute() {
    List<Result> results = new ArrayList<>();
    try (CpuBackend cpu = new CpuBackend(0)) {
      for (Kernel kernel : Kernel.values()) {
        for (Precision precision : kernel.precisions()) {
          for (KernelCase one : KernelCases.of(kernel)) {
            KernelMemory memory = new KernelMemory(cpu, precision);
            one.run(cpu, memory);
            String name = kernel + " " + precision + " " + one.name();
            List<double[]> contents = memory.contents();
            for (int i = 0; i < contents.size(); i++) {
              results.add(
                  new Result(
                      name, memory.buffers().get(i).type().tolerance(1, 1), contents.get(i)));
            }
          }
        }
      }
    }
    results.add(new Result("losses, F32", 1e-4, train(MathMode.STRICT)));
    results.add(new Result("losses, F64", 1e-10, train(MathMode.DOUBLE)));
    return results;
  }

  /** What this JVM computes, once for all tests that compare with it. */
  private static final class Here {
    static final List<Result> RESULTS = compute();
  }

  private static double[] train(MathMode math) {
    double[] losses = new double[12];
    Sequential network =
        Sequential.of(new Linear(784, 64), Activation.TANH, new Dropout(0.2), new Linear(64, 10));
    try (Device device = Device.cpu()) {
      Trainer trainer =
          Trainer.of(network).on(device).math(math).optimizer(Adam.rate(1e-3)).batch(64).seed(1);
      try (TrainingRun run = trainer.start(Digits.generate(400, 7).train())) {
        for (int step = 0; step < losses.length; step++) {
          run.step();
          losses[step] = run.loss();
        }
      }
    }
    assertTrue(losses[losses.length - 1] < losses[0], "the run learns something");
    return losses;
  }

  /** Prints the instruction set in use and writes what it computed to a file. */
  static final class Compute {
    private Compute() {}

    public static void main(String[] arguments) throws IOException {
      System.out.println(CpuLibrary.get().isa());
      List<Result> results = compute();
      try (DataOutputStream out =
          new DataOutputStream(
              new BufferedOutputStream(Files.newOutputStream(Path.of(arguments[0]))))) {
        out.writeInt(results.size());
        for (Result result : results) {
          result.write(out);
        }
      }
    }
  }

  private static List<Result> read(Path file) throws IOException {
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      List<Result> results = new ArrayList<>();
      int count = in.readInt();
      for (int i = 0; i < count; i++) {
        results.add(Result.read(in));
      }
      return results;
    }
  }

  /** A build for this machine alone compiles the set that a build for all would pick here. */
  @Test
  void theSetOfThisMachineIsTheOneThatIsPicked() throws IOException, InterruptedException {
    String root = System.getProperty("weft.root");
    String oneDnn = "java/core/target/onednn/org/bytedeco/dnnl/" + NativeFiles.platform();
    String where = "-DWEFT_ONEDNN_DIR=" + Path.of(root, oneDnn);
    cmake("-S", root, "-B", folder.toString(), where);
    String targets = cmake("--build", folder.toString(), "--target", "help");
    Set<String> sets = new TreeSet<>();
    Pattern.compile("weft_cpu_(avx512|avx2|baseline)\\b")
        .matcher(targets)
        .results()
        .forEach(set -> sets.add(set.group(1)));
    assertEquals(Set.of(CpuLibrary.get().isa()), sets);
  }

  private static String cmake(String... words) throws IOException, InterruptedException {
    ProcessBuilder cmake = new ProcessBuilder("cmake").redirectErrorStream(true);
    cmake.command().addAll(List.of(words));
    cmake.environment().put("WEFT_CPU_ISAS", "native");
    Process process = cmake.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
    return said;
  }

  @ParameterizedTest
  @ValueSource(strings = {"avx512", "avx2", "baseline"})
  void everyInstructionSetComputesTheSame(String isa) throws IOException {
    Path file = folder.resolve("results");
    String used =
        new ChildJvm(Compute.class).variable("WEFT_MAX_ISA", isa).run(file.toString()).strip();
    List<Result> expected = Here.RESULTS;
    List<Result> actual = read(file);
    assertEquals(expected.size(), actual.size());
    double worst = 0;
    String where = "";
    for (int i = 0; i < expected.size(); i++) {
      double excess = expected.get(i).excess(actual.get(i));
      if (excess > worst) {
        worst = excess;
        where = expected.get(i).name();
      }
    }
    System.out.printf(
        "%s beside %s: at most %.2g of the tolerance, in %s%n",
        used, CpuLibrary.get().isa(), worst, where);
    assertTrue(worst <= 1, worst + " times the tolerance in " + where);
    if (isa.equals("baseline")) {
      assertEquals("baseline", used);
    }
    assumeTrue(used.equals(isa), () -> "this processor has no " + isa + " and used " + used);
  }

  @Test
  void otherNumbersWouldBeSeen() {
    Result right = new Result("x", 1e-5, new double[] {1, 1000});
    assertTrue(right.excess(new Result("x", 1e-5, new double[] {1.00002, 1000})) > 1);
    assertTrue(right.excess(new Result("x", 1e-5, new double[] {1, Double.NaN})) > 1);
    assertTrue(right.excess(new Result("x", 1e-5, new double[] {1, 1000.005})) < 1);
  }

  /** Opens the CPU twice and prints what a user reads. */
  static final class Open {
    private Open() {}

    public static void main(String[] arguments) {
      for (int i = 0; i < 2; i++) {
        try (Device device = Device.cpu()) {
          System.out.println("opened " + device.description());
        } catch (DeviceException e) {
          System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
        }
      }
    }
  }

  @Test
  void unknownInstructionSetIsAnErrorEachTime() {
    String why =
        "DeviceUnavailableException: WEFT_MAX_ISA is 'sse9'; it must be avx512, avx2 or baseline";
    String said = new ChildJvm(Open.class).variable("WEFT_MAX_ISA", "sse9").run();
    assertEquals(List.of(why, why), errors(said), said);
  }

  /** The lines that begin as an error does; a JVM may say more of a library that it loads. */
  private static List<String> errors(String said) {
    return said.lines().filter(line -> line.startsWith("DeviceUnavailableException")).toList();
  }

  @Test
  void emptyVariableIsNone() {
    String said = new ChildJvm(Open.class).variable("WEFT_MAX_ISA", "").run();
    assertTrue(said.lines().allMatch(line -> line.startsWith("opened ")), said);
    assertTrue(said.contains(CpuLibrary.get().isa()), said);
  }

  /**
   * A product that has no memory to work in fails alone, whichever of its threads sees that: those
   * made before it go on.
   */
  @Test
  void productWithoutAScratchpadLeavesTheOthers() {
    assumeTrue(CpuLibrary.get().isa().equals("avx512"), "oneDNN asks for less on other machines");
    String said = new ChildJvm(Products.class).run();
    assertTrue(said.contains("the scratchpad's allocation failed"), said);
    assertTrue(said.contains("the same as before: true"), said);
  }

  /** A product, one too large for the process's memory, and the first again. */
  static final class Products {
    private static final int SIZE = 64;
    private static final long HUGE = 1 << 20;
    private static final long NOWHERE = 64;
    private static final int RLIMIT_AS = 9;

    private Products() {}

    public static void main(String[] arguments) throws Throwable {
      CpuLibrary.get().disturb(1);
      try (CpuBackend cpu = new CpuBackend(3)) {
        double[] before = product(cpu);
        limitMemory(256L << 20);
        // half a GiB of scratchpad; nothing is read before it is there
        try {
          multiply(cpu, NOWHERE, 2 * NOWHERE, 3 * NOWHERE, HUGE, 0);
        } catch (DeviceException e) {
          System.out.println(e.getMessage());
        }
        System.out.println("the same as before: " + Arrays.equals(before, product(cpu)));
      }
    }

    private static double[] product(CpuBackend cpu) {
      KernelMemory memory = new KernelMemory(cpu, Precision.F32);
      int n = SIZE * SIZE;
      long a = memory.signed(n, 1);
      long b = memory.signed(n, 2);
      long c = memory.signed(n, 3);
      multiply(cpu, a, b, c, SIZE, 1);
      return memory.contents().getLast();
    }

    /** c (size, SIZE) = a' b + beta c. */
    private static void multiply(CpuBackend cpu, long a, long b, long c, long size, double beta) {
      cpu.run(
          Kernel.GEMM,
          Precision.F32,
          new Arguments.Gemm(
              a, b, c, size, SIZE, size, size, SIZE, SIZE, true, false, 1, beta, false, false, 1, 0,
              0, 0));
    }

    /** Lets the process have so many bytes of addresses more than it has. */
    private static void limitMemory(long more) throws Throwable {
      String[] pages = Files.readString(Path.of("/proc/self/statm")).split(" ");
      long bytes = Long.parseLong(pages[0]) * 4096 + more;
      Linker linker = Linker.nativeLinker();
      try (Arena arena = Arena.ofConfined()) {
        int status =
            (int)
                linker
                    .downcallHandle(
                        linker.defaultLookup().findOrThrow("setrlimit"),
                        FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS))
                    .invokeExact(
                        RLIMIT_AS, arena.allocateFrom(ValueLayout.JAVA_LONG, bytes, bytes));
        assertEquals(0, status);
      }
    }
  }

  @Test
  void damagedLibraryNamesItself() throws IOException {
    String resource = "dev/weft/native/" + NativeFiles.platform() + "/libweft_cpu.so";
    Path damaged = folder.resolve(resource);
    Files.createDirectories(damaged.getParent());
    Files.writeString(damaged, "This is no library.\n".repeat(10));
    String said = new ChildJvm(Open.class).before(folder).run();
    assertEquals(2, errors(said).size(), said);
    for (String line : errors(said)) {
      assertTrue(line.startsWith("DeviceUnavailableException: cannot load " + damaged), said);
      assertTrue(line.contains("invalid ELF header"), said);
    }
  }

  @Test
  void cacheThatCannotBeWrittenIsAnErrorOfTheDevice() throws IOException {
    Path file = Files.writeString(folder.resolve("cache"), "a file where the folder should be");
    String said = new ChildJvm(Open.class).variable("WEFT_CACHE", file).run();
    assertEquals(2, errors(said).size(), said);
    assertTrue(errors(said).getLast().contains(" into " + file + ": "), said);
    assertTrue(errors(said).getLast().contains("set WEFT_CACHE to a folder"), said);
  }

  @Test
  void libraryOfAnotherVersionIsRefused() throws Throwable {
    String table = table();
    assertEquals(CpuLibrary.get().contract().kernels(), new Contract(table, "a").kernels());
    String doctored =
        table
            .replaceAll("(?m)^kernel\t\\d+\targmax_f64\t.*\n", "")
            .replace("field\tdropout\tfirst\t", "field\tdropout\tzeroth\t")
            .replace("field\tfill\tvalue\t", "field\tfill\tnumber\t");
    DeviceException e =
        assertThrows(DeviceException.class, () -> new Contract(doctored, "libweft_cpu.so"));
    assertTrue(
        e.getMessage()
            .startsWith(
                "libweft_cpu.so does not match this version of Weft;"
                    + " build both from the same sources. "),
        e.getMessage());
    assertTrue(e.getMessage().contains("the library has no kernel argmax_f64"), e.getMessage());
    assertTrue(
        e.getMessage().contains("struct fill of kernel fill_f32 differs from record Fill"),
        e.getMessage());
    assertThrows(DeviceException.class, () -> new Contract("sorcery\tx\n", "a"));
  }

  /** The library's own table. */
  private static String table() throws Throwable {
    CpuLibrary.get();
    Path file = NativeFiles.file("dev/weft/native/" + NativeFiles.platform() + "/libweft_cpu.so");
    MemorySegment text =
        (MemorySegment)
            Linker.nativeLinker()
                .downcallHandle(
                    SymbolLookup.libraryLookup(file, Arena.global()).findOrThrow("weft_abi_table"),
                    FunctionDescriptor.of(ValueLayout.ADDRESS))
                .invoke();
    return text.reinterpret(Long.MAX_VALUE).getString(0);
  }

  /** A machine's share that is half a processor is one to Java. */
  @Test
  void thereAreAsManyThreadsAsJavaSeesProcessors() {
    String one = new ChildJvm(Open.class).option("-XX:ActiveProcessorCount=1").run();
    assertTrue(one.startsWith("opened 1 thread, "), one);
    String three = new ChildJvm(Open.class).option("-XX:ActiveProcessorCount=3").run();
    assertTrue(three.startsWith("opened 3 threads, "), three);
    ChildJvm named = new ChildJvm(Open.class).option("-XX:ActiveProcessorCount=1");
    String said = named.variable("OMP_NUM_THREADS", "2").run();
    assertTrue(said.startsWith("opened 2 threads, "), said);
  }
}
