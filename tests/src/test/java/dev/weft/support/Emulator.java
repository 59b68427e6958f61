// SPDX-License-Identifier: Apache-2.0
package dev.weft.support;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.fail;

import dev.weft.Device;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The emulated GPU: an extension that puts it in place of the driver before anything asks for CUDA,
 * and resets its switches around each test. The build always makes it: where it is not there, a
 * test fails and says so.
 */
public final class Emulator implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback {
  private static final Path FOLDER =
      Path.of(System.getProperty("weft.emulator", "no-emulator")).toAbsolutePath();
  private static SymbolLookup controls;

  /** Puts the emulator in place, or fails the test that asks. */
  public static synchronized void require() {
    if (controls != null) {
      return;
    }
    Path driver = FOLDER.resolve("libcuda.so.1");
    if (!Files.exists(driver)) {
      fail("no emulator: " + driver + " is not there; the build makes it (-Dweft.emulator)");
    }
    System.setProperty("weft.cuda.driver", driver.toString());
    System.setProperty("weft.cublas", FOLDER.resolve("libcublas.so.12").toString());
    controls = SymbolLookup.libraryLookup(driver, Arena.global());
  }

  /** Opens the emulated GPU as a device. */
  public static Device device() {
    require();
    return Device.cuda();
  }

  /** All switches off, all counters at 0. */
  public static void reset() {
    call("reset", FunctionDescriptor.ofVoid());
  }

  /** The n-th allocation from now fails. */
  public static void failAllocation(long n) {
    call("fail_allocation", FunctionDescriptor.ofVoid(JAVA_LONG), n);
  }

  /** The n-th launch from now fails. */
  public static void failLaunch(long n) {
    call("fail_launch", FunctionDescriptor.ofVoid(JAVA_LONG), n);
  }

  /** The n-th copy from now fails. */
  public static void failCopy(long n) {
    call("fail_copy", FunctionDescriptor.ofVoid(JAVA_LONG), n);
  }

  /** The n-th graph made ready from now finds no memory. */
  public static void failInstantiation(long n) {
    call("fail_instantiation", FunctionDescriptor.ofVoid(JAVA_LONG), n);
  }

  /** Sets how much memory the device has. */
  public static void totalMemory(long bytes) {
    call("total_memory", FunctionDescriptor.ofVoid(JAVA_LONG), bytes);
  }

  /** Runs blocks and threads in descending order from now on. */
  public static void reverse() {
    call("reverse", FunctionDescriptor.ofVoid(JAVA_INT), 1);
  }

  /** Faults on any access past the end of an allocation made from now on. */
  public static void exact() {
    call("exact", FunctionDescriptor.ofVoid(JAVA_INT), 1);
  }

  /**
   * Lets a stream's work run as late as CUDA allows: when something waits for it. Errors then come
   * from the call that waits.
   */
  public static void deferred() {
    call("deferred", FunctionDescriptor.ofVoid(JAVA_INT), 1);
  }

  /**
   * Looks at every access of every kernel from now on: bounds to the byte, memory that nobody has
   * written, races. What was written is known of allocations made from now on.
   */
  public static void check() {
    if ((int) call("check", FunctionDescriptor.of(JAVA_INT, JAVA_INT), 1) == 0) {
      fail(lastError());
    }
  }

  /** From now on an error of a kernel is the answer to every later call, as on a real device. */
  public static void sticky() {
    call("sticky", FunctionDescriptor.ofVoid(JAVA_INT), 1);
  }

  /** Lets launches, copies and graphs return at once with success. */
  public static void doNothing() {
    call("do_nothing", FunctionDescriptor.ofVoid(JAVA_INT), 1);
  }

  /** Bytes of device memory allocated now. */
  public static long liveBytes() {
    return ask("live_bytes");
  }

  /** Allocations of device memory that are there now. */
  public static long liveAllocations() {
    return ask("live_allocations");
  }

  /** Allocations that were still there when their context was destroyed. */
  public static long leakedAllocations() {
    return ask("leaked_allocations");
  }

  /** Streams, graphs and modules that were still there when their context was destroyed. */
  public static long leakedObjects() {
    return ask("leaked_objects");
  }

  /** Streams that are there now. */
  public static long liveStreams() {
    return ask("live_streams");
  }

  /** Events that are there now. */
  public static long liveEvents() {
    return ask("live_events");
  }

  /** Graphs and executable graphs that are there now. */
  public static long liveGraphs() {
    return ask("live_graphs");
  }

  /** Bytes that were still there when their context was destroyed. */
  public static long leakedBytes() {
    return ask("leaked_bytes");
  }

  /** The last failure as a sentence. */
  public static String lastError() {
    MemorySegment text = (MemorySegment) call("last_error", FunctionDescriptor.of(ADDRESS));
    return text.reinterpret(Long.MAX_VALUE).getString(0);
  }

  /** The folder of the emulated libraries, whether it is there or not. */
  public static Path folder() {
    return FOLDER;
  }

  /** Fills a folder as those of compiled kernels are, for the emulator, which has its own. */
  public static Path kernels(Path folder) throws IOException {
    Path none = folder.resolve("sm_90/none.cubin");
    Files.createDirectories(none.getParent());
    Files.write(none, new byte[64]);
    Files.writeString(folder.resolve("index.txt"), "CUDA 13.0\nsm_90/none.cubin\n");
    return folder;
  }

  /** The driver API itself, for tests of the emulator. */
  public static SymbolLookup driver() {
    require();
    return controls;
  }

  /** Kernels and cuBLAS calls that ran. */
  public static long launches() {
    return ask("launches");
  }

  private static long ask(String control) {
    return (long) call(control, FunctionDescriptor.of(JAVA_LONG));
  }

  private static Object call(String control, FunctionDescriptor shape, Object... arguments) {
    MemorySegment address = controls.find("weft_emulator_" + control).orElseThrow();
    try {
      return Linker.nativeLinker().downcallHandle(address, shape).invokeWithArguments(arguments);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    require();
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    reset();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    reset();
  }
}
