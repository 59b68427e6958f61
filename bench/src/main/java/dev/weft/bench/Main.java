// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.MathMode;
import dev.weft.bench.embeddings.Form;
import dev.weft.bench.embeddings.Peers.Tool;
import dev.weft.bench.peer.Side;
import dev.weft.bench.peer.Target;
import dev.weft.bench.peer.Threads;
import dev.weft.bench.report.Machine;
import dev.weft.bench.report.Missing;
import dev.weft.bench.report.Page;
import dev.weft.bench.report.Part;
import dev.weft.bench.report.Results;
import dev.weft.bench.report.Table;
import dev.weft.bench.report.Tables;
import dev.weft.device.DeviceUnavailableException;
import dev.weft.io.StandardOutput;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Measures, prints tables, writes JSON and a page. Exit codes: 0 success, 1 failure, 2 wrong use.
 *
 * <p>This class is long because it has every option of the command, with what each one says.
 */
@Command(
    name = "weft bench",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures Weft, beside other libraries and on each device that is here. What is timed is"
          + " checked first; a row that fails is marked, and the others go on.",
      "",
      "Examples:",
      "  weft bench                              everything, and weft-bench.html with plots",
      "  weft bench --quick                      the same as a first impression",
      "  weft bench steps --device cpu           training steps beside DJL",
      "  weft bench kernels --only ^relu --quick one kernel, in a minute",
      "  weft bench page run.json --html run.html   a page of an earlier run",
      "  weft bench targets run.json             a run beside the targets for a GPU",
      "  weft bench sass                         the machine code of the CUDA kernels",
      "  weft bench company                      training on the CPU beside other work",
      "  weft bench embeddings text.txt          word vectors beside word2vec.c and others",
      "  weft bench jmh -h                       the options of JMH itself",
      ""
    })
public final class Main implements Callable<Integer> {
  /** What can be asked for. */
  enum Word {
    CEILINGS,
    KERNELS,
    STEPS,
    SCALING,
    HOST,
    COMPARE
  }

  /** Where to measure. */
  enum Where {
    CPU,
    CUDA,
    ALL
  }

  /** Who is to run beside Weft. */
  enum Peer {
    DJL,
    TENSORFLOW,
    NONE
  }

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "PART",
      arity = "0..*",
      description = {
        "ceilings  copies and matrix products: what the machine allows",
        "kernels   every kernel, and its share of the ceiling",
        "steps     training steps of Weft and of others, and their ratio",
        "scaling   time and memory against batch, depth, width, data",
        "host      what the CUDA path costs on the host; not a GPU figure",
        "compare   all of these, and the CPU beside the GPU (default)"
      })
  private Set<Word> words = EnumSet.of(Word.COMPARE);

  @Option(
      names = "--device",
      paramLabel = "cpu|cuda|all",
      description = "where; default: all that are here")
  private Where where = Where.ALL;

  @Option(
      names = "--peer",
      split = ",",
      paramLabel = "djl|tensorflow|none",
      description = "who trains beside Weft; default: djl")
  private Set<Peer> peers = EnumSet.of(Peer.DJL);

  @Option(
      names = "--peer-json",
      paramLabel = "FILE",
      description = "steps timed by bench/peers/torch_steps.py, to be put beside Weft's")
  private List<Path> peerFiles = List.of();

  @Option(
      names = "--math",
      split = ",",
      paramLabel = "strict|fast|bf16",
      description = "the arithmetic of Weft's products and steps; default: all three")
  private Set<MathMode> modes = EnumSet.copyOf(Side.WEFT.modes());

  @Option(names = "--quick", description = "shorter and fewer measurements, for a first impression")
  private boolean quick;

  @Option(
      names = "--only",
      paramLabel = "REGEX",
      description = "only rows whose name contains a match")
  private Pattern only = Choice.pattern("");

  @Option(
      names = "--turns",
      paramLabel = "N",
      description = "how often each thing is measured; on the CPU, each time in a new Java machine")
  private int turns;

  @Option(
      names = "--minutes",
      paramLabel = "N",
      description =
          "begin no measurement when they are over; what there is then is shown. Steps come first,"
              + " ceilings last")
  private double minutes;

  @Option(names = "--threads", paramLabel = "N", description = "of all sides; default: all cores")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--wait",
      paramLabel = "MINUTES",
      description = "before each measurement, wait at most so long for an idle machine; default: 0")
  private int patience;

  @Option(names = "--json", paramLabel = "FILE", description = "also write all figures as JSON")
  private Path json;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "also write a page with plots; compare writes weft-bench.html by itself")
  private Path html;

  /** What matters most comes first, so that a run that is cut off has it. */
  private static final List<Part> ORDER =
      List.of(Part.STEPS, Part.SCALING, Part.KERNELS, Part.HOST, Part.CEILINGS);

  // names that an error lists: all where they are few and of one part, else some of each part
  private static final int MOST_NAMES = 200;
  private static final int SOME_NAMES = 4;

  private String command;
  private final AtomicBoolean written = new AtomicBoolean();

  private Main() {}

  /** Runs the command line; {@code jmh} as its first word hands the rest to JMH. */
  public static void main(String[] arguments) throws IOException {
    Locale.setDefault(ROOT);
    // a lock file of JMH in a shared folder would refuse a second run by another user
    System.setProperty("jmh.ignoreLock", "true");
    StandardOutput output = StandardOutput.ofProcess();
    System.setOut(new PrintStream(output, true, System.out.charset()));
    int code = CommandLine.ExitCode.OK;
    if (arguments.length > 0 && arguments[0].equals("jmh")) {
      org.openjdk.jmh.Main.main(Arrays.copyOfRange(arguments, 1, arguments.length));
    } else {
      code = run(arguments);
    }
    System.exit(written(output) ? code : Math.max(code, CommandLine.ExitCode.SOFTWARE));
  }

  private static boolean written(StandardOutput output) {
    System.out.flush();
    IOException failure = output.failure();
    if (failure != null) {
      System.err.println("weft bench: " + failure.getMessage());
    }
    return failure == null;
  }

  /** Runs the command line; returns its exit code. */
  static int run(String... arguments) {
    String first = arguments.length > 0 ? arguments[0] : "";
    Callable<Integer> command =
        switch (first) {
          case "page" -> new PageCommand();
          case "targets" -> new TargetsCommand();
          case "sass" -> new SassCommand();
          case "company" -> new CompanyCommand(String.join(" ", arguments));
          case "embeddings" -> new EmbeddingsCommand(String.join(" ", arguments));
          default -> null;
        };
    if (command != null) {
      return line(command).execute(Arrays.copyOfRange(arguments, 1, arguments.length));
    }
    Main main = new Main();
    main.command = "weft bench " + String.join(" ", arguments);
    return line(main)
        .registerConverter(Word.class, word -> Choice.of("part", word, Word.class))
        .registerConverter(Where.class, word -> Choice.of("device", word, Where.class))
        .registerConverter(MathMode.class, Main::math)
        .execute(arguments);
  }

  private static CommandLine line(Object command) {
    return Explanation.line(command)
        .registerConverter(Pattern.class, Choice::pattern)
        .registerConverter(Form.class, Form::of)
        .registerConverter(Tool.class, word -> Choice.of("peer", word, Tool.class))
        .registerConverter(Peer.class, word -> Choice.of("peer", word, Peer.class));
  }

  private static MathMode math(String word) {
    return Side.WEFT.modes().stream()
        .filter(mode -> mode.name().equalsIgnoreCase(word))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    format("unknown math mode '%s': use strict, fast, bf16", word)));
  }

  @Override
  public Integer call() throws IOException {
    refuse(threads < 1, "--threads must be at least 1");
    refuse(turns < 0, "--turns must not be negative");
    refuse(!(minutes >= 0), "--minutes must not be negative");
    refuse(patience < 0, "--wait must not be negative");
    Set<Side> sides = sides(spec.commandLine(), peers);
    if (html == null && words.contains(Word.COMPARE)) {
      html = Path.of("weft-bench.html");
    }
    OutputFile.check(spec.commandLine(), "--json", json);
    OutputFile.check(spec.commandLine(), "--html", html);
    Threads.options(threads).forEach(Main::set);
    Results results = new Results(Machine.here(threads), command.strip());
    for (Path file : peerFiles) {
      TorchFile.read(file).forEach(results::add);
    }
    Settings settings =
        new Settings(
            quick ? Settings.Effort.QUICK : Settings.Effort.FULL,
            threads,
            only,
            Duration.ofMinutes(patience),
            targets(results),
            sides,
            modes,
            System.nanoTime() + (minutes > 0 ? (long) (minutes * 6e10) : Long.MAX_VALUE / 2),
            turns);
    List<Part> parts = parts(words);
    checkOnly(parts.stream().sorted().toList(), settings);
    if (json != null) {
      results.keepIn(json);
    }
    Runtime.getRuntime().addShutdownHook(new Thread(() -> write(results)));
    System.out.printf(ROOT, "%s%n%s%n", results.machine().text(), Results.versions());
    for (Part part : parts) {
      measure(part, settings, results);
    }
    results.finish(Machine.here(threads).load());
    // now, as shares need the ceilings
    parts.forEach(part -> new Tables(results).of(part).forEach(Main::print));
    compare(results);
    results.missing().forEach(one -> System.out.printf(ROOT, "%n%s: %s%n", one.what(), one.why()));
    write(results);
    return results.failed() ? CommandLine.ExitCode.SOFTWARE : CommandLine.ExitCode.OK;
  }

  /** The parts that words stand for, in the order of measuring. */
  static List<Part> parts(Set<Word> words) {
    return ORDER.stream()
        .filter(part -> words.contains(Word.COMPARE) || words.contains(Word.valueOf(part.name())))
        .toList();
  }

  /** Finds out before anything is measured that nothing would be. */
  private void checkOnly(List<Part> parts, Settings settings) {
    List<String> there = new ArrayList<>();
    for (Part part : parts) {
      List<String> names = rows(part, settings);
      boolean unusual = part == Part.KERNELS && !KernelsPart.rows(settings).isEmpty();
      if (unusual || names.stream().anyMatch(settings::wants)) {
        return;
      }
      boolean all = parts.size() == 1 && names.size() <= MOST_NAMES;
      int shown = all ? names.size() : Math.min(names.size(), SOME_NAMES);
      there.add(
          format(
              "%s has %s%s",
              part.word(),
              String.join("; ", names.subList(0, shown)),
              shown < names.size() ? format("; and %d more", names.size() - shown) : ""));
    }
    throw new ParameterException(
        spec.commandLine(),
        format(
            "no row's name contains a match of --only '%s': %s", only, String.join(". ", there)));
  }

  /** The names of all rows that a part can measure. */
  static List<String> rows(Part part, Settings settings) {
    return switch (part) {
      case CEILINGS -> CeilingsPart.names(settings);
      case KERNELS -> KernelsPart.names();
      case STEPS -> StepsPart.names(settings);
      case SCALING -> ScalingPart.names();
      case HOST -> HostPart.names();
    };
  }

  private void refuse(boolean wrong, String why) {
    if (wrong) {
      throw new ParameterException(spec.commandLine(), why);
    }
  }

  /** Once, also when the run is interrupted: then what there is. */
  private void write(Results results) {
    // the lock keeps a shutdown from ending the machine in the middle of a file
    synchronized (results) {
      if (!written.getAndSet(true)) {
        writeFiles(results);
      }
    }
  }

  private void writeFiles(Results results) {
    try {
      if (json != null) {
        results.write(json);
        System.out.printf(ROOT, "%nwritten: %s%n", json);
      }
      if (html != null) {
        new Page(results).write(html);
        System.out.printf(ROOT, "%nwritten: %s%n", html);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + e.getMessage(), e);
    }
  }

  /** Those that were asked for and are here. One that was asked for by name must be. */
  private List<Target> targets(Results results) {
    List<Target> targets = new ArrayList<>();
    for (Target target : Target.values()) {
      if (where != Where.ALL && !where.name().equals(target.name())) {
        continue;
      }
      String missing = target.missing();
      if (missing == null) {
        targets.add(target);
        results
            .machine()
            .devices()
            .add(new Machine.Described(target.device(), target.description()));
      } else if (where != Where.ALL) {
        throw new DeviceUnavailableException(missing);
      } else {
        results.add(new Missing(Missing.GPU, missing));
      }
    }
    if (where == Where.CPU) {
      results.add(new Missing(Missing.GPU, "it was not asked for: --device cpu."));
    }
    return targets;
  }

  /** The sides of peers. */
  static Set<Side> sides(CommandLine line, Set<Peer> peers) {
    if (peers.contains(Peer.NONE) && peers.size() > 1) {
      throw new ParameterException(line, "--peer none stands alone: name others, or none");
    }
    Set<Side> sides = EnumSet.noneOf(Side.class);
    peers.stream()
        .filter(peer -> peer != Peer.NONE)
        .forEach(peer -> sides.add(Side.valueOf(peer.name())));
    return sides;
  }

  private static void measure(Part part, Settings settings, Results results) {
    System.out.println();
    try {
      switch (part) {
        case CEILINGS -> CeilingsPart.run(settings, results);
        case KERNELS -> KernelsPart.run(settings, results);
        case STEPS -> StepsPart.run(settings, results);
        case SCALING -> ScalingPart.run(settings, results);
        case HOST -> HostPart.run(settings, results);
      }
    } catch (Progress.TimeIsUp e) {
      results.add(new Missing("The rest of " + part.word(), e.getMessage()));
    }
  }

  private static void compare(Results results) {
    Table table = new Tables(results).compare();
    if (!table.isEmpty()) {
      print(table);
    }
  }

  private static void print(Table table) {
    System.out.printf(ROOT, "%n%s", table.text());
  }

  /** Sets "-Dname=value" in this machine too. */
  private static void set(String option) {
    int equals = option.indexOf('=');
    System.setProperty(option.substring(2, equals), option.substring(equals + 1));
  }
}
