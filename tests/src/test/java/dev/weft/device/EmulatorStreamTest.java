// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.device.EmulatedDriver.CAPTURED_EVENT;
import static dev.weft.device.EmulatedDriver.CAPTURE_IMPLICIT;
import static dev.weft.device.EmulatedDriver.CAPTURE_INVALIDATED;
import static dev.weft.device.EmulatedDriver.CAPTURE_UNJOINED;
import static dev.weft.device.EmulatedDriver.CAPTURE_UNSUPPORTED;
import static dev.weft.device.EmulatedDriver.ILLEGAL_ADDRESS;
import static dev.weft.device.EmulatedDriver.ILLEGAL_STATE;
import static dev.weft.device.EmulatedDriver.INVALID_HANDLE;
import static dev.weft.device.EmulatedDriver.INVALID_VALUE;
import static dev.weft.device.EmulatedDriver.LAUNCH_FAILED;
import static dev.weft.device.EmulatedDriver.NOT_READY;
import static dev.weft.device.EmulatedDriver.SUCCESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.Emulator;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Streams of the emulator: work put off as long as CUDA may, waits, capture and graphs. */
@ExtendWith(Emulator.class)
class EmulatorStreamTest {
  private static final int GLOBAL = 0;
  private static final int RELAXED = 2;

  private EmulatedDriver driver;
  private MemorySegment stream;
  private MemorySegment other;
  private MemorySegment here; // page-locked
  private long y;

  @BeforeEach
  void open() {
    driver = new EmulatedDriver();
    stream = driver.stream;
    other = driver.stream(1);
    here = driver.pinned(64);
    y = driver.allocate(64);
    driver.fill(stream, y, 16, 1);
    driver.ok("cuStreamSynchronize", stream);
  }

  @AfterEach
  void close() {
    Emulator.reset();
    driver.free(y);
    driver.ok("cuMemFreeHost", here);
    driver.ok("cuStreamDestroy_v2", other);
    driver.close();
    assertEquals(0, Emulator.liveBytes());
    assertEquals(0, Emulator.liveGraphs());
  }

  private void copyIn(MemorySegment from, MemorySegment onto) {
    driver.ok("cuMemcpyHtoDAsync_v2", y, from, 64L, onto);
  }

  private void copyOut(MemorySegment onto) {
    driver.ok("cuMemcpyDtoHAsync_v2", here, y, 64L, onto);
  }

  private float waited(MemorySegment on) {
    driver.ok("cuStreamSynchronize", on);
    return here.get(JAVA_FLOAT, 0);
  }

  @Test
  void pageLockedMemoryUsedTooEarlyShows() {
    Emulator.deferred();
    here.set(JAVA_FLOAT, 0, 5);
    copyIn(here, stream);
    here.set(JAVA_FLOAT, 0, 6);
    assertEquals(SUCCESS, driver.call("cuStreamSynchronize", stream));
    assertEquals(6, driver.read(y, 1)[0]);
    here.set(JAVA_FLOAT, 0, -1);
    copyOut(stream);
    assertEquals(-1, here.get(JAVA_FLOAT, 0), "read before it was waited for");
    assertEquals(6, waited(stream));
  }

  @Test
  void pageableMemoryIsReadBeforeTheCallReturns() {
    Emulator.deferred();
    MemorySegment pageable = driver.arena.allocate(64, 4);
    pageable.set(JAVA_FLOAT, 0, 7);
    copyIn(pageable, stream);
    pageable.set(JAVA_FLOAT, 0, 8);
    copyOut(stream);
    assertEquals(7, waited(stream));
  }

  @Test
  void missingWaitBetweenStreamsShows() {
    Emulator.deferred();
    driver.fill(stream, y, 16, 3);
    copyOut(other);
    assertEquals(1, waited(other));
    driver.ok("cuStreamSynchronize", stream);
    MemorySegment event = driver.event();
    driver.fill(stream, y, 16, 4);
    driver.ok("cuEventRecord", event, stream);
    driver.fill(stream, y, 16, 5);
    driver.ok("cuStreamWaitEvent", other, event, 0);
    copyOut(other);
    assertEquals(4, waited(other), "what was there at the event, and nothing later");
    driver.ok("cuEventDestroy_v2", event);
  }

  @Test
  void eventIsNotReadyUntilItsWorkIsDone() {
    MemorySegment event = driver.event();
    Emulator.deferred();
    driver.fill(stream, y, 16, 4);
    driver.ok("cuEventRecord", event, stream);
    driver.expect(NOT_READY, "cuEventQuery", event);
    driver.ok("cuEventSynchronize", event);
    driver.ok("cuEventQuery", event);
    driver.ok("cuEventDestroy_v2", event);
  }

  @Test
  void deferredFaultComesFromTheWait() {
    Emulator.deferred();
    assertEquals(SUCCESS, driver.launch(stream, "probe_null", 1, 32, y, 16, 0));
    driver.expect(ILLEGAL_ADDRESS, "cuStreamSynchronize", stream);
    driver.ok("cuStreamSynchronize", stream);
    long freed = driver.allocate(64);
    driver.fill(stream, freed, 16, 9);
    driver.free(freed); // waits for what uses it, as cuMemFree does
    driver.ok("cuStreamSynchronize", stream);
    driver.fill(stream, y, 16, 9);
    Emulator.reset(); // runs what is left
    assertEquals(9, driver.read(y, 1)[0]);
  }

  @Test
  void graphReplaysWhatWasCaptured() {
    driver.beginCapture(stream, GLOBAL);
    driver.fill(stream, y, 16, 10);
    driver.ok("cuMemsetD32Async", y + 4, 0x3f800000, 1L, stream);
    MemorySegment graph = driver.endCapture(stream);
    MemorySegment nodes = driver.arena.allocate(8);
    driver.ok("cuGraphGetNodes", graph, MemorySegment.NULL, nodes);
    assertEquals(2, nodes.get(JAVA_LONG, 0));
    assertEquals(1, driver.read(y, 1)[0], "capturing runs nothing");
    MemorySegment program = driver.instantiate(graph);
    driver.ok("cuGraphDestroy", graph);
    assertEquals(1, Emulator.liveGraphs());
    Emulator.deferred();
    driver.ok("cuGraphLaunch", program, stream);
    driver.ok("cuGraphExecDestroy", program); // allowed while it is pending
    copyOut(stream);
    assertEquals(10, waited(stream));
    assertEquals(1, here.get(JAVA_FLOAT, 4));
  }

  @Test
  void failedNodeFailsTheGraph() {
    driver.beginCapture(stream, GLOBAL);
    driver.fill(stream, y, 16, 2);
    driver.fill(stream, y, 16, 3);
    MemorySegment graph = driver.endCapture(stream);
    MemorySegment program = driver.instantiate(graph);
    Emulator.failLaunch(2);
    driver.expect(LAUNCH_FAILED, "cuGraphLaunch", program, stream);
    assertEquals(2, driver.read(y, 1)[0]);
    driver.ok("cuGraphLaunch", program, stream);
    driver.ok("cuGraphExecDestroy", program);
    driver.ok("cuGraphDestroy", graph);
  }

  @Test
  void waitingInACaptureInvalidatesIt() {
    MemorySegment at = driver.arena.allocate(8);
    driver.beginCapture(stream, GLOBAL);
    driver.expect(CAPTURE_UNSUPPORTED, "cuStreamSynchronize", stream);
    driver.expect(CAPTURE_INVALIDATED, "cuStreamEndCapture", stream, at);
    assertEquals(MemorySegment.NULL, EmulatedDriver.pointer(at));
    driver.expect(ILLEGAL_STATE, "cuStreamEndCapture", stream, at);
    driver.ok("cuStreamSynchronize", stream);
  }

  @Test
  void allocatingIsForTheRelaxedCaptureOnly() {
    MemorySegment at = driver.arena.allocate(8);
    driver.beginCapture(stream, GLOBAL);
    driver.expect(CAPTURE_UNSUPPORTED, "cuMemAlloc_v2", at, 64L);
    driver.expect(CAPTURE_INVALIDATED, "cuStreamEndCapture", stream, at);
    driver.beginCapture(stream, RELAXED);
    driver.free(driver.allocate(64));
    driver.ok("cuGraphDestroy", driver.endCapture(stream));
  }

  @Test
  void forkMustJoin() {
    MemorySegment at = driver.arena.allocate(8);
    MemorySegment fork = driver.event();
    MemorySegment join = driver.event();
    driver.beginCapture(stream, GLOBAL);
    driver.ok("cuEventRecord", fork, stream);
    driver.ok("cuStreamWaitEvent", other, fork, 0);
    driver.fill(other, y, 16, 2);
    driver.expect(CAPTURE_UNJOINED, "cuStreamEndCapture", stream, at);
    driver.beginCapture(stream, GLOBAL);
    driver.ok("cuEventRecord", fork, stream);
    driver.ok("cuStreamWaitEvent", other, fork, 0);
    driver.fill(other, y, 16, 2);
    driver.ok("cuEventRecord", join, other);
    driver.ok("cuStreamWaitEvent", stream, join, 0);
    driver.ok("cuGraphDestroy", driver.endCapture(stream));
    driver.expect(CAPTURED_EVENT, "cuEventSynchronize", fork);
    driver.ok("cuEventDestroy_v2", fork);
    driver.ok("cuEventDestroy_v2", join);
  }

  @Test
  void anEventInAGraphNotesTheTimeOfEachLaunch() {
    int external = 1;
    MemorySegment before = driver.event();
    MemorySegment after = driver.event();
    MemorySegment milliseconds = driver.arena.allocate(4);
    driver.expect(INVALID_VALUE, "cuEventRecordWithFlags", before, stream, external);
    driver.beginCapture(stream, RELAXED);
    driver.ok("cuEventRecordWithFlags", before, stream, external);
    driver.fill(stream, y, 16, 2);
    driver.ok("cuEventRecordWithFlags", after, stream, external);
    MemorySegment graph = driver.endCapture(stream);
    // nothing has run yet
    driver.expect(INVALID_HANDLE, "cuEventElapsedTime", milliseconds, before, after);
    MemorySegment program = driver.instantiate(graph);
    driver.ok("cuGraphLaunch", program, stream);
    driver.ok("cuStreamSynchronize", stream);
    driver.ok("cuEventElapsedTime", milliseconds, before, after);
    assertTrue(milliseconds.get(JAVA_FLOAT, 0) > 0);
    driver.ok("cuGraphExecDestroy", program);
    driver.ok("cuGraphDestroy", graph);
    driver.ok("cuEventDestroy_v2", before);
    driver.ok("cuEventDestroy_v2", after);
  }

  @Test
  void legacyStreamWouldWaitForACapture() {
    MemorySegment at = driver.arena.allocate(8);
    MemorySegment blocking = driver.stream(0);
    driver.beginCapture(blocking, GLOBAL);
    driver.expect(CAPTURE_IMPLICIT, "cuMemcpyHtoD_v2", y, here, 4L);
    driver.expect(CAPTURE_INVALIDATED, "cuStreamEndCapture", blocking, at);
    driver.expect(CAPTURE_UNSUPPORTED, "cuStreamBeginCapture_v2", MemorySegment.NULL, GLOBAL);
    assertTrue(Emulator.lastError().contains("legacy"), Emulator.lastError());
    driver.ok("cuStreamDestroy_v2", blocking);
  }
}
