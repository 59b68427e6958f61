// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import static dev.weft.format.Format.format;

import dev.weft.bench.measure.ChildJava;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The Java machine of one side. It works when a line asks it to, tells how far it came, and waits
 * for the next line without using a processor; it ends with its standard input.
 */
public final class Trainee {
  /** Before the processors that Java sees, once it can work. */
  static final String READY = "ready ";

  /** Before samples and nanoseconds. */
  static final String RAN = "ran ";

  private Trainee() {}

  /** Arguments: those of {@link Work#words}. */
  public static void main(String[] arguments) throws IOException {
    Work work = Work.parse(arguments);
    try (Work.Started started = work.start();
        BufferedReader asked =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      System.out.println(READY + Runtime.getRuntime().availableProcessors());
      for (String line = asked.readLine(); line != null; line = asked.readLine()) {
        String[] milliseconds = line.split(" ");
        run(started, Long.parseLong(milliseconds[0]));
        long start = System.nanoTime();
        long times = run(started, Long.parseLong(milliseconds[1]));
        long nanoseconds = System.nanoTime() - start;
        System.out.println(RAN + times * work.samples() + " " + nanoseconds);
      }
    }
  }

  /** Works so long, and returns how often. */
  private static long run(Work.Started started, long milliseconds) {
    long end = System.nanoTime() + 1_000_000 * milliseconds;
    long times = 0;
    do {
      started.once();
      times++;
    } while (System.nanoTime() < end);
    return times;
  }

  /** Its command line. */
  static List<String> command(Work work) {
    return ChildJava.command(Trainee.class, List.of("-Dai.djl.offline=true"), work.words());
  }

  /** What is said to one that shall work unmeasured first, then measured. */
  static String request(long lead, long measured) {
    return format("%d %d", lead, measured);
  }

  /**
   * Samples a second, from an answer.
   *
   * @throws IllegalArgumentException where it is none
   */
  static double rate(String answer) {
    if (!answer.matches(RAN + "[1-9]\\d* [1-9]\\d*")) {
      throw new IllegalArgumentException(
          format("'%s' is not '%sSAMPLES NANOSECONDS', both above 0", answer, RAN));
    }
    List<Long> numbers = new ArrayList<>();
    for (String number : answer.substring(RAN.length()).split(" ")) {
      numbers.add(Long.parseLong(number));
    }
    return 1e9 * numbers.get(0) / numbers.get(1);
  }
}
