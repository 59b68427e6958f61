// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import dev.weft.device.Closing;
import dev.weft.device.Program;
import dev.weft.device.TimedProgram;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import jcuda.driver.CUevent;
import org.jspecify.annotations.Nullable;

/** A captured graph with an event before each call and after the last. */
final class CudaTimedProgram implements TimedProgram {
  private static final double NANOSECONDS_PER_MILLISECOND = 1e6;

  private final CudaDriver driver;
  private final List<CUevent> events = new ArrayList<>();
  private final int calls;
  private final Set<CudaTimedProgram> open;
  private @Nullable Program program;

  /**
   * @param open those of the backend that are not closed, which this one joins
   */
  CudaTimedProgram(CudaDriver driver, int calls, Set<CudaTimedProgram> open) {
    this.driver = driver;
    this.calls = calls;
    this.open = open;
    open.add(this);
  }

  /** Adds a look at the clock to the capture in progress, before call {@code index}. */
  void captureTime(int index) {
    if (calls > 0) {
      events.add(driver.event());
      driver.capture(events.get(index));
    }
  }

  /** What runs, with the looks at the clock in it. */
  void runs(Program program) {
    this.program = program;
  }

  @Override
  public void run(long[] nanoseconds) {
    nanoseconds[0] = 0;
    Objects.requireNonNull(program).run();
    driver.synchronize();
    for (int i = 0; i < events.size(); i++) {
      nanoseconds[i] =
          Math.round(
              driver.milliseconds(events.getFirst(), events.get(i)) * NANOSECONDS_PER_MILLISECOND);
    }
  }

  @Override
  public double threads() {
    return 0;
  }

  @Override
  public int size() {
    return calls;
  }

  @Override
  public void close() {
    if (open.remove(this)) {
      driver.makeCurrent();
      Closing closing = new Closing();
      if (program != null) {
        closing.run(program::close);
      }
      events.forEach(event -> closing.run(() -> driver.destroy(event)));
      closing.finish();
    }
  }
}
