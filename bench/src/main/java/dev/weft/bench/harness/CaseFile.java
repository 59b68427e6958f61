// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import dev.weft.device.cpu.CpuBackend;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.zip.CRC32;

/**
 * The case file of {@code native/harness}: every call of every kernel but cuBLAS's, with the memory
 * before it and what the CPU makes of it. {@code native/harness/cases.h} describes the format.
 */
public final class CaseFile {
  private static final int VERSION = 1;
  private static final int NONE = -1;

  private final Map<ByteBuffer, Integer> places = new HashMap<>(); // of blobs, by their content
  private final List<byte[]> blobs = new ArrayList<>();
  private final List<byte[]> cases = new ArrayList<>();

  private CaseFile() {}

  /**
   * Writes the file.
   *
   * @param arguments its path
   */
  public static void main(String[] arguments) throws IOException {
    write(Path.of(arguments[0]));
  }

  /** Runs every call on the CPU and writes what came out. */
  public static void write(Path path) throws IOException {
    CaseFile file = new CaseFile();
    try (CpuBackend cpu = new CpuBackend()) {
      for (Kernel kernel : Kernel.values()) {
        if (kernel.kind() == Kernel.Kind.LIBRARY) {
          continue;
        }
        for (Precision precision : Precision.values()) {
          boolean once = kernel.kind() != Kernel.Kind.UNTYPED || precision == Precision.F32;
          if (once && kernel.exists(precision)) {
            file.addAll(kernel, new Replay(cpu, precision));
          }
        }
      }
    }
    file.save(path);
  }

  private void addAll(Kernel kernel, Replay replay) {
    for (KernelCall one : KernelCall.of(kernel)) {
      Function<CallMemory, List<Replay.Call>> make =
          m -> List.of(new Replay.Call(kernel, one.arguments().apply(m)));
      add(replay.of(kernel, one.label(), make));
    }
    if (kernel == Kernel.FUSED_PASS || kernel == Kernel.FUSED_UPDATE) {
      for (FusedCalls one : FusedCalls.values()) {
        // the update works on what the pass has left
        int calls = kernel == Kernel.FUSED_PASS ? 1 : 2;
        add(replay.of(kernel, one.label(), m -> one.calls(m).subList(0, calls)));
      }
    }
  }

  private void add(Replay.Case one) {
    Bytes bytes = new Bytes();
    bytes.text(one.kernel()).text(one.label()).real(one.cost().bytes()).real(one.cost().flops());
    bytes.number(one.launches().size());
    for (Replay.Launch launch : one.launches()) {
      bytes.text(launch.symbol()).number(launch.threads()).number(launch.blocks());
      bytes.number(launch.slots().size());
      launch.slots().forEach(slot -> bytes.number(slot.buffer()).word(slot.value()));
    }
    bytes.number(one.buffers().size());
    for (Replay.Buffer buffer : one.buffers()) {
      bytes.text(buffer.name()).number(buffer.type().ordinal()).number(buffer.role().ordinal());
      bytes.word(buffer.bytes());
      bytes.number(before(buffer)).number(blob(buffer.after(), buffer.after()));
      bytes.real(buffer.tolerance());
    }
    cases.add(bytes.take());
  }

  /** What is drawn is not stored: the harness draws it, too. */
  private int before(Replay.Buffer buffer) {
    byte[] content = buffer.before();
    CallMemory.Drawn drawn = buffer.drawn();
    if (content == null || drawn == null) {
      return blob(content, content);
    }
    Bytes recipe = new Bytes().number(buffer.type().ordinal()).number(checksum(content));
    recipe.word(content.length).word(drawn.seed()).real(drawn.low()).real(drawn.high());
    return blob(content, recipe.take());
  }

  /** The place of a content; stored is what the file has of it where it is new. */
  private int blob(byte[] content, byte[] stored) {
    if (content == null) {
      return NONE;
    }
    return places.computeIfAbsent(
        ByteBuffer.wrap(content),
        key -> {
          blobs.add(new Bytes().number(stored == content ? 0 : 1).raw(stored).take());
          return places.size();
        });
  }

  private void save(Path path) throws IOException {
    Bytes head = new Bytes();
    head.raw("WEFTCASE".getBytes(StandardCharsets.US_ASCII));
    head.number(VERSION).number(blobs.size()).number(cases.size());
    byte[] first = head.take();
    Bytes all = new Bytes().raw(first).number(checksum(first));
    blobs.forEach(blob -> part(all, blob));
    cases.forEach(one -> part(all, one));
    Files.createDirectories(path.toAbsolutePath().getParent());
    try (FileChannel out =
        FileChannel.open(
            path,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer content = ByteBuffer.wrap(all.take());
      while (content.hasRemaining()) {
        out.write(content);
      }
    }
  }

  private static void part(Bytes all, byte[] content) {
    all.number(content.length).number(checksum(content)).raw(content);
  }

  private static int checksum(byte[] content) {
    CRC32 sum = new CRC32();
    sum.update(content);
    return (int) sum.getValue();
  }

  /** Little-endian bytes, one after the other. */
  private static final class Bytes {
    private ByteBuffer buffer = ByteBuffer.allocate(1 << 12).order(ByteOrder.LITTLE_ENDIAN);

    private ByteBuffer room(int bytes) {
      if (buffer.remaining() < bytes) {
        int capacity = Math.max(2 * buffer.capacity(), buffer.position() + bytes);
        ByteBuffer larger = ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN);
        buffer = larger.put(buffer.flip());
      }
      return buffer;
    }

    Bytes number(int value) {
      room(Integer.BYTES).putInt(value);
      return this;
    }

    Bytes word(long value) {
      room(Long.BYTES).putLong(value);
      return this;
    }

    Bytes real(double value) {
      room(Double.BYTES).putDouble(value);
      return this;
    }

    Bytes raw(byte[] content) {
      room(content.length).put(content);
      return this;
    }

    Bytes text(String content) {
      byte[] utf8 = content.getBytes(StandardCharsets.UTF_8);
      return number(utf8.length).raw(utf8);
    }

    byte[] take() {
      byte[] taken = new byte[buffer.position()];
      buffer.flip().get(taken);
      return taken;
    }
  }
}
