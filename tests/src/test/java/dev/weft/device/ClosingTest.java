// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClosingTest {
  private final List<String> closed = new ArrayList<>();

  private AutoCloseable part(String name, Exception failure) {
    return () -> {
      closed.add(name);
      if (failure != null) {
        throw failure;
      }
    };
  }

  @Test
  void allAreClosedInOrderAndTheFirstFailureIsThrown() {
    RuntimeException first = new RuntimeException("first");
    IOException second = new IOException("second");
    RuntimeException thrown =
        assertThrows(
            RuntimeException.class,
            () ->
                Closing.all(
                    part("a", null), part("b", first), null, part("c", second), part("d", null)));
    assertEquals(List.of("a", "b", "c", "d"), closed);
    assertSame(first, thrown);
    assertEquals(1, thrown.getSuppressed().length);
    assertSame(second, thrown.getSuppressed()[0].getCause());
  }

  @Test
  void whereNothingFailsNothingIsThrown() {
    Closing.all(part("a", null), null, part("b", null));
    assertEquals(List.of("a", "b"), closed);
    new Closing().finish();
  }

  @Test
  void afterAFailureAnotherIsSuppressedInIt() {
    RuntimeException failure = new RuntimeException("failure");
    RuntimeException later = new RuntimeException("later");
    Closing.after(
        failure,
        () -> {
          throw later;
        });
    assertArrayEquals(new Throwable[] {later}, failure.getSuppressed());
  }
}
