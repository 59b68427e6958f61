// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import static dev.weft.format.Format.format;

import dev.weft.device.Program;
import java.util.Set;
import jcuda.driver.CUgraphExec;
import org.jspecify.annotations.Nullable;

/** A captured graph, replayed by one launch. */
final class CudaProgram implements Program {
  private final CudaDriver driver;
  private final @Nullable CUgraphExec graph;
  private final int calls;
  private final Set<CudaProgram> open;

  /**
   * @param graph what to launch; null where nothing was recorded
   * @param open the programs of the backend that are not closed, which this one joins
   */
  CudaProgram(CudaDriver driver, @Nullable CUgraphExec graph, int calls, Set<CudaProgram> open) {
    this.driver = driver;
    this.graph = graph;
    this.calls = calls;
    this.open = open;
    open.add(this);
  }

  @Override
  public void run() {
    if (!open.contains(this)) {
      throw new IllegalStateException(
          driver.device() + format(": a program of %d calls is closed", calls));
    }
    if (graph != null) {
      driver.makeCurrent();
      driver.launch(graph, calls);
    }
  }

  @Override
  public int size() {
    return calls;
  }

  @Override
  public void close() {
    if (open.remove(this) && graph != null) {
      driver.makeCurrent();
      driver.destroy(graph);
    }
  }
}
