// SPDX-License-Identifier: Apache-2.0
package dev.weft.support;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;

/** What a program prints that runs here; what tests beside it print goes where it went before. */
final class Printed {
  private Printed() {}

  /** What {@code main} of a class prints in this thread. */
  static String by(Class<?> program, String... arguments) throws Exception {
    Method main = program.getMethod("main", String[].class);
    Thread here = Thread.currentThread();
    PrintStream before = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    OutputStream either =
        new OutputStream() {
          private OutputStream of() {
            return Thread.currentThread() == here ? printed : before;
          }

          @Override
          public void write(int b) throws IOException {
            of().write(b);
          }

          @Override
          public void write(byte[] bytes, int from, int count) throws IOException {
            of().write(bytes, from, count);
          }
        };
    try {
      System.setOut(new PrintStream(either, true, StandardCharsets.UTF_8));
      main.invoke(null, (Object) arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    } finally {
      System.setOut(before);
    }
    return printed.toString(StandardCharsets.UTF_8).strip();
  }
}
