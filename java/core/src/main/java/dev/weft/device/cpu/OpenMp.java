// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** What OpenMP's runtime is told: how many threads, and before it is loaded how they wait. */
final class OpenMp {
  /**
   * Turns that a thread waits spinning before it sleeps. libgomp's own choice is milliseconds, in
   * which a spinning thread keeps its partner off a core that others want too. Steps of 784-512-10
   * at batch 128 on two cores: as fast as with libgomp's choice where nothing else runs, 2 to 6
   * times as fast beside two busy processes. Sleeping at once costs a third where nothing else
   * runs.
   */
  private static final String SPIN_COUNT = "10000";

  private OpenMp() {}

  /**
   * How many threads compute: those that the user named in OMP_NUM_THREADS, 0 here, else as many as
   * Java sees processors. libgomp looks at the affinity alone and would put two threads on half a
   * processor, where each waits for the other's share of it.
   */
  static int threads() {
    String named = System.getenv("OMP_NUM_THREADS");
    return named == null || named.isBlank() ? Runtime.getRuntime().availableProcessors() : 0;
  }

  /** Sets how threads wait, unless the user did. */
  static void boundSpinning() {
    if (System.getenv("OMP_WAIT_POLICY") != null || System.getenv("GOMP_SPINCOUNT") != null) {
      return;
    }
    Linker linker = Linker.nativeLinker();
    MethodHandle setenv =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("setenv"),
            FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom("GOMP_SPINCOUNT");
      // where it fails, threads wait as libgomp chooses: slower on a busy machine, not wrong
      int status = (int) setenv.invokeExact(name, arena.allocateFrom(SPIN_COUNT), 0);
      assert status == 0 : "setenv failed";
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
