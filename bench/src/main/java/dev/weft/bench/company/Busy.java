// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import dev.weft.bench.measure.ChildJava;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * The company: a Java machine in which as many threads spin as the last line said, none at first.
 * It ends with its standard input, and so with whoever started it, however that ends.
 */
public final class Busy {
  /** Before the number of threads that spin. */
  static final String SPINNING = "spinning ";

  private static final List<String> SMALL =
      List.of("-XX:+UseSerialGC", "-Xmx32m", "-XX:TieredStopAtLevel=1");

  private static volatile int spinning;

  private Busy() {}

  /** Argument: the most threads that may spin. */
  public static void main(String[] arguments) throws IOException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < Integer.parseInt(arguments[0]); i++) {
      int place = i;
      threads.add(Thread.ofPlatform().daemon().start(() -> spin(place)));
    }
    try (BufferedReader asked =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = "0"; line != null; line = asked.readLine()) {
        spinning = Integer.parseInt(line);
        threads.forEach(LockSupport::unpark);
        System.out.println(SPINNING + spinning);
      }
    }
  }

  private static void spin(int place) {
    while (true) {
      if (place >= spinning) {
        LockSupport.park();
      }
    }
  }

  /** Its command line. */
  static List<String> command(int most) {
    return ChildJava.command(Busy.class, SMALL, List.of(Integer.toString(most)));
  }
}
