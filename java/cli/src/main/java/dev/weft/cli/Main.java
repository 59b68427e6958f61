// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static java.util.Locale.ROOT;

import dev.weft.device.DeviceException;
import dev.weft.device.DeviceUnavailableException;
import dev.weft.device.cpu.CpuLibrary;
import java.io.IOException;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/**
 * The command {@code weft}. Exit codes: 0 success, 1 failure, 2 wrong use, 130 ended by Ctrl-C,
 * which is Java's own.
 */
@Command(
    name = "weft",
    description = "Trains neural networks on the CPU or on an NVIDIA GPU.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    subcommands = {
      TrainCommand.class,
      CompareCommand.class,
      LrFindCommand.class,
      ScheduleCommand.class,
      EvaluateCommand.class,
      EmbedCommand.class,
      GradcheckCommand.class,
      GraphCommand.class,
      ExamplesCommand.class,
      SelftestCommand.class,
      DevicesCommand.class,
      DoctorCommand.class,
      BundleCommand.class
    },
    footer = {
      "",
      "Examples:",
      "  weft train                      generated digits, a minute at most",
      "  weft train --data mnist/        a folder of IDX files",
      "  weft evaluate digits.safetensors",
      "  weft embed neighbours glove.txt king",
      "  weft examples                   small programs, each with what it shows",
      "  weft train --help               the options of a command",
      "  weft bench --help               speed beside other libraries, from a checkout",
      "",
      "Exit codes: 0 success, 1 failure, 2 wrong use, 130 ended by Ctrl-C."
    })
public final class Main implements Runnable {
  static final int SUCCESS = 0;
  static final int FAILURE = 1;
  static final int WRONG_USE = 2;

  private final Screen screen;
  private final Interruption interruption;

  @Option(
      names = "--stacktrace",
      scope = ScopeType.INHERIT,
      description = "With an error, print where in the program it arose.")
  private boolean stacktrace;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  private Main(Screen screen) {
    this.screen = screen;
    this.interruption = new Interruption(screen.err());
  }

  /** Runs the command and ends the process. */
  public static void main(String[] args) {
    // numbers are written the same way everywhere
    Locale.setDefault(ROOT);
    // what the library logs is a line like the command's own
    System.setProperty("java.util.logging.SimpleFormatter.format", "weft: %5$s%n");
    // pictures need no screen, nor the part of Java for one
    System.setProperty("java.awt.headless", "true");
    System.exit(run(Screen.standard(), args));
  }

  /** Runs the command; returns its exit code. */
  public static int run(Screen screen, String... args) {
    CommandLine.tracer().setLevel(CommandLine.TraceLevel.OFF);
    Main main = new Main(screen);
    try {
      return main.execute(args);
    } finally {
      main.interruption.over();
    }
  }

  private int execute(String... args) {
    CommandLine line =
        new CommandLine(this)
            .setOut(screen.out())
            .setErr(screen.err())
            // the last one holds, as with other commands; picocli would warn of it
            .setOverwrittenOptionsAllowed(true)
            .setParameterExceptionHandler((e, given) -> fail(e, e.getCommandLine(), WRONG_USE))
            .setExecutionExceptionHandler((e, at, parsed) -> fail(e, at, Explanation.exitCode(e)));
    line.getSubcommands().values().forEach(Main::inOrder);
    int code;
    try {
      code = line.execute(args);
    } catch (OutOfMemoryError | LinkageError e) {
      // picocli hands exceptions to the handler above, and errors to nobody
      code = fail(e, line, FAILURE);
    }
    screen.out().flush();
    IOException unwritten = screen.failure().get();
    if (unwritten != null) {
      fail(unwritten, line, FAILURE);
      code = code == SUCCESS ? FAILURE : code;
    }
    screen.err().flush();
    return code;
  }

  /** Help lists options as the source does: what is used most comes first. */
  private static void inOrder(CommandLine command) {
    command.getCommandSpec().usageMessage().sortOptions(false).abbreviateSynopsis(true);
    command.getSubcommands().values().forEach(Main::inOrder);
  }

  private int fail(Throwable e, CommandLine at, int code) {
    if (stacktrace) {
      e.printStackTrace(screen.err());
    }
    screen.err().println("weft: " + Explanation.of(e));
    if (e instanceof DeviceUnavailableException) {
      screen.err().println("  weft doctor says what is there" + remedy());
    }
    if (code == WRONG_USE) {
      screen.err().printf(ROOT, "Try '%s --help'.%n", at.getCommandSpec().qualifiedName());
    }
    return code;
  }

  /** The CPU, unless it is what failed. */
  private static String remedy() {
    try {
      CpuLibrary.get();
      return "; --device cpu computes without a GPU";
    } catch (DeviceException e) {
      return "";
    }
  }

  Screen screen() {
    return screen;
  }

  /** Ends a training run at Ctrl-C. */
  Interruption interruption() {
    return interruption;
  }

  /** No command was given. */
  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(), "say what to do: " + String.join(", ", spec.subcommands().keySet()));
  }
}
