// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.MathMode;
import dev.weft.bench.measure.ChildFailedException;
import dev.weft.bench.measure.ChildJava;
import dev.weft.bench.peer.Mlp;
import dev.weft.bench.peer.Side;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChildTest {
  /** Starts a busy process as a row does, says its id, and waits to be ended. */
  static final class Owner {
    private Owner() {}

    public static void main(String[] arguments) throws Exception {
      Scope scope = new Scope();
      Child busy = scope.add(new Child("Busy", Busy.command(1)));
      busy.ask("1");
      busy.answer(Busy.SPINNING + "1");
      System.out.println(busy.pid());
      Thread.sleep(60_000);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void busyProcessesEndWithTheCommandHoweverItEnds(boolean killed) throws Exception {
    List<String> command =
        ChildJava.command(Owner.class, List.of("-XX:TieredStopAtLevel=1"), List.of());
    Process owner = new ProcessBuilder(command).start();
    try (var said = owner.inputReader()) {
      long pid = Long.parseLong(said.readLine());
      Optional<ProcessHandle> busy = ProcessHandle.of(pid);
      assertTrue(busy.isPresent(), "it runs as long as its owner does");
      if (killed) {
        owner.destroyForcibly();
      } else {
        owner.destroy();
      }
      busy.get().onExit().get(10, TimeUnit.SECONDS);
    } finally {
      owner.destroyForcibly();
    }
  }

  @Test
  void answersAreSamplesAndNanoseconds() {
    assertEquals(64_000, Trainee.rate("ran 6400 100000000"));
    for (String wrong : List.of("ran 6400", "ran 0 5", "ran 5 0", "ran -1 5", "ready 2", "")) {
      assertThrows(IllegalArgumentException.class, () -> Trainee.rate(wrong), wrong);
    }
  }

  @Test
  void workIsReadAsItWasWritten() {
    Work work =
        new Work(Side.WEFT, Work.Task.TRAIN_UNFUSED, Mlp.of(64, 784, 100, 10), MathMode.FAST, 2);
    assertEquals(work, Work.parse(work.words().toArray(String[]::new)));
    assertEquals(64, work.samples());
  }

  @Test
  void whatLibrariesPrintIsNoAnswer() throws IOException {
    try (Child child = new Child("sh", List.of("sh", "-c", "echo hello; read a; echo ran $a"))) {
      child.ask("3 4");
      assertEquals("ran 3 4", child.answer(Trainee.RAN));
    }
  }

  @Test
  void aChildThatEndsSaysWhy() throws IOException {
    try (Child child = new Child("net", List.of("sh", "-c", "echo no memory >&2; exit 3"))) {
      String why =
          assertThrows(ChildFailedException.class, () -> child.answer(Trainee.READY)).getMessage();
      assertEquals("net failed with 3: ...no memory\n", why);
    }
  }
}
