// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.device.EmulatedDriver.ILLEGAL_ADDRESS;
import static dev.weft.device.EmulatedDriver.INVALID_VALUE;
import static dev.weft.device.EmulatedDriver.NOT_READY;
import static dev.weft.device.EmulatedDriver.SUCCESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weft.support.Emulator;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The legacy default stream of the emulator where work is put off: which streams wait for it, and
 * which copies on it the host waits for.
 */
@ExtendWith(Emulator.class)
class EmulatorLegacyStreamTest {
  private final MemorySegment legacy = MemorySegment.NULL;

  private EmulatedDriver driver;
  private MemorySegment stream; // these two do not wait for the legacy stream
  private MemorySegment other;
  private MemorySegment blocking; // this one does
  private MemorySegment here; // page-locked
  private long y;

  @BeforeEach
  void open() {
    driver = new EmulatedDriver();
    stream = driver.stream;
    other = driver.stream(1);
    blocking = driver.stream(0);
    here = driver.pinned(64);
    y = driver.allocate(64);
    driver.fill(stream, y, 16, 1);
    Emulator.deferred();
  }

  @AfterEach
  void close() {
    Emulator.reset();
    driver.free(y);
    driver.ok("cuMemFreeHost", here);
    driver.ok("cuStreamDestroy_v2", other);
    driver.ok("cuStreamDestroy_v2", blocking);
    driver.close();
    assertEquals(0, Emulator.liveBytes());
  }

  /** The first three of y as a stream finds them. */
  private List<Float> firstThree(MemorySegment on) {
    driver.ok("cuMemcpyDtoHAsync_v2", here, y, 64L, on);
    driver.ok("cuStreamSynchronize", on);
    return List.of(here.get(JAVA_FLOAT, 0), here.get(JAVA_FLOAT, 4), here.get(JAVA_FLOAT, 8));
  }

  /** A non-blocking stream does not wait for the legacy stream, where plain copies are. */
  @ParameterizedTest
  @CsvSource({
    "cuMemcpyHtoD_v2, nothing, 1",
    "cuMemcpy, nothing, 1",
    "cuMemcpyDtoD_v2, nothing, 1",
    "cuMemcpyHtoD_v2, another stream, 1",
    "cuMemcpyHtoD_v2, an allocation, 1",
    "cuMemcpyHtoD_v2, the legacy stream, 7",
    "cuMemcpyDtoD_v2, the legacy stream, 7",
    "cuMemcpyHtoD_v2, the context, 7",
    "cuMemcpyDtoD_v2, the context, 7",
    "cuMemcpyHtoD_v2, an event, 7",
    "cuMemcpyHtoD_v2, an event on the stream, 7",
    "cuMemcpyHtoD_v2, a free, 7",
    "cuMemcpyHtoD_v2, a copy to the host, 7",
    "cuMemcpyHtoD_v2, a second copy, 7",
    "cuMemcpyHtoD_v2, page-locked memory, 7",
    "cuMemcpyHtoD_v2, a blocking stream, 7",
    "cuMemcpyHtoDAsync_v2, the same stream, 7"
  })
  void aCopyIsOnItsWayUntilItIsWaitedFor(String copy, String wait, float seen) {
    long source = driver.allocate(64);
    List<Long> kept = new ArrayList<>(List.of(driver.allocate(64)));
    driver.fill(stream, source, 16, 7);
    driver.ok("cuStreamSynchronize", stream);
    MemorySegment event = driver.event();
    MemorySegment from = wait.equals("page-locked memory") ? here : driver.arena.allocate(64, 4);
    from.set(JAVA_FLOAT, 0, 7);
    switch (copy) {
      case "cuMemcpyHtoDAsync_v2" -> driver.ok(copy, y, from, 4L, stream);
      case "cuMemcpyDtoD_v2" -> driver.ok(copy, y, source, 4L);
      default -> driver.ok(copy, y, from, 4L);
    }
    from.set(JAVA_FLOAT, 0, 8); // the bytes have been read
    switch (wait) {
      case "another stream" -> driver.ok("cuStreamSynchronize", other);
      case "an allocation" -> kept.add(driver.allocate(64));
      case "the legacy stream" -> driver.ok("cuStreamSynchronize", legacy);
      case "the context" -> driver.ok("cuCtxSynchronize");
      case "an event" -> {
        driver.ok("cuEventRecord", event, legacy);
        driver.ok("cuEventSynchronize", event);
      }
      case "an event on the stream" -> {
        driver.ok("cuEventRecord", event, legacy);
        driver.ok("cuStreamWaitEvent", stream, event, 0);
      }
      case "a free" -> driver.free(kept.removeLast());
      case "a copy to the host" -> driver.read(source, 1);
      case "a second copy" -> driver.ok("cuMemcpyHtoD_v2", source, from, 4L);
      default -> {}
    }
    MemorySegment reader = wait.equals("a blocking stream") ? blocking : stream;
    assertEquals(SUCCESS, driver.launch(reader, "probe_unwritten", 1, 1, y, 1, 0)); // y[1] = y[0]
    assertEquals(seen, firstThree(reader).get(1));
    assertEquals(7, driver.read(y, 1)[0], "it comes in the end");
    driver.ok("cuEventDestroy_v2", event);
    driver.free(source);
    kept.forEach(driver::free);
  }

  @Test
  void itAndBlockingStreamsWaitForEachOther() {
    driver.fill(blocking, y, 16, 2);
    assertEquals(2, driver.read(y, 1)[0]);
    driver.fill(blocking, y, 16, 3);
    driver.fill(legacy, y, 2, 4);
    driver.fill(blocking, y, 1, 5);
    assertEquals(2, firstThree(other).getFirst(), "a non-blocking stream waits for neither");
    driver.ok("cuStreamSynchronize", blocking);
    assertEquals(List.of(5f, 4f, 3f), firstThree(other));
    driver.fill(blocking, y, 16, 6);
    driver.expect(NOT_READY, "cuStreamQuery", legacy); // it stands for the blocking ones, too
    driver.ok("cuStreamQuery", legacy);
    assertEquals(List.of(6f, 6f, 6f), firstThree(other));
    driver.ok("cuMemsetD32_v2", y, 0, 1L);
    assertEquals(6, firstThree(other).getFirst(), "the host does not wait for a fill");
    assertEquals(0, driver.read(y, 1)[0]);
  }

  @Test
  void theFaultOfACopyComesFromTheWait() {
    MemorySegment from = driver.arena.allocate(64, 4);
    Emulator.failCopy(1);
    driver.ok("cuMemcpyHtoD_v2", y, from, 64L);
    driver.expect(ILLEGAL_ADDRESS, "cuStreamSynchronize", legacy);
    driver.expect(INVALID_VALUE, "cuMemcpyHtoD_v2", y, from, 65L); // seen at the call
    driver.ok("cuMemcpyHtoD_v2", y, from, 64L);
    Emulator.reset(); // runs what is left
    assertEquals(0, driver.read(y, 1)[0]);
  }
}
