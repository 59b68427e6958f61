// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.io.Safetensors;
import dev.weft.support.Logged;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What becomes of the values in a network's file. */
class NetworkFileTest {
  /** Numbers that every type can hold, one of them by its subnormals in float16. */
  private static final double[] VALUES = {1, -0.5, 3.25, 0x1p-15, 0, -96};

  @TempDir private Path folder;

  /** Types that networks come in, and {@link #VALUES} in them. */
  enum Type {
    F64(MemorySegment.ofArray(VALUES)),
    F32(MemorySegment.ofArray(new float[] {1, -0.5f, 3.25f, 0x1p-15f, 0, -96})),
    F16(MemorySegment.ofArray(new short[] {0x3C00, (short) 0xB800, 0x4280, 0x0200, 0, -0x2A00})),
    BF16(MemorySegment.ofArray(new short[] {0x3F80, (short) 0xBF00, 0x4050, 0x3800, 0, -0x3D40}));

    private final MemorySegment data;

    Type(MemorySegment data) {
      this.data = data;
    }
  }

  private Path write(String dtype, MemorySegment data, Map<String, Safetensors.Entry> more)
      throws IOException {
    Path file = folder.resolve("network.safetensors");
    Map<String, Safetensors.Entry> tensors = new HashMap<>(more);
    tensors.put("0.weight", new Safetensors.Entry(dtype, new long[] {3, 2}, data));
    Safetensors.write(file, tensors, Map.of("network", "linear(3,2,no_bias)"));
    return file;
  }

  private static double[] weights(Path file, MathMode math) {
    try (Device device = Device.cpu();
        Sequential network = Sequential.load(file).on(device, math)) {
      return network.named().get("0.weight").tensor().toDoubles();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aNetworkOfEveryTypeOfFloatLoads(Type type) throws IOException {
    Path file = write(type.name(), type.data, Map.of());
    for (MathMode math : MathMode.values()) {
      assertArrayEquals(VALUES, weights(file, math), math.name());
    }
    Path copy = folder.resolve("copy.safetensors");
    Sequential.load(file).save(copy);
    assertEquals(
        -1,
        type.data.mismatch(Safetensors.read(copy).tensor("0.weight").data()),
        "saved as it was");
  }

  @Test
  void conversionIsToldInTheLog() throws IOException {
    try (Logged logged = new Logged()) {
      Path file = write("BF16", Type.BF16.data, Map.of());
      weights(file, MathMode.STRICT);
      weights(write("F32", Type.F32.data, Map.of()), MathMode.STRICT);
      assertEquals(
          List.of("INFO " + file + ": BF16 was turned into F32 in 1 of 1 tensors"), logged.lines());
    }
  }

  @Test
  void aNumberTooLargeForFloat32IsRefusedAndLeavesTheNetworkUsable() throws IOException {
    double[] large = {1, 2, 1e300, 3, 4, Double.POSITIVE_INFINITY};
    Path file = write("F64", MemorySegment.ofArray(large), Map.of());
    Sequential network = Sequential.load(file);
    try (Device device = Device.cpu()) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> network.on(device)).getMessage();
      assertTrue(message.startsWith(file + ": tensor 0.weight holds 1.0E300"), message);
      assertEquals(0, device.memory().live());
      network.on(device, MathMode.DOUBLE);
      assertArrayEquals(large, network.named().get("0.weight").tensor().toDoubles());
      network.close();
    }
  }

  @Test
  void aNetworkDoesNotDependOnItsFileOnceItIsLoaded() throws IOException {
    Path file = write("F32", Type.F32.data, Map.of());
    Sequential network = Sequential.load(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(100);
    }
    Path copy = folder.resolve("copy.safetensors");
    network.save(copy);
    assertArrayEquals(VALUES, weights(copy, MathMode.STRICT));
    assertThrows(IOException.class, () -> Sequential.load(file));
  }

  @Test
  void aShapeThatNoTensorCanHaveIsAnErrorOfTheFile() throws IOException {
    long[] shape = {1L << 40, 1L << 40, 0};
    Path file = folder.resolve("network.safetensors");
    Safetensors.write(
        file,
        Map.of("0.weight", new Safetensors.Entry("F32", shape, MemorySegment.NULL)),
        Map.of("network", "linear(3,2,no_bias)"));
    IOException failure = assertThrows(IOException.class, () -> Sequential.load(file));
    assertTrue(
        failure.getMessage().contains("shape [1099511627776, 1099511627776, 0], linear(3,2"));
  }

  @Test
  void aTensorThatTheNetworkDoesNotAskForMayBeOfAnyType() throws IOException {
    MemorySegment byteOfTwo = MemorySegment.ofArray(new byte[1]);
    Path file =
        write(
            "F32",
            Type.F32.data,
            Map.of("scales", new Safetensors.Entry("F4", new long[] {2}, byteOfTwo)));
    assertArrayEquals(VALUES, weights(file, MathMode.STRICT));
    // the same file, as if of a type that is yet to come
    byte[] bytes = Files.readAllBytes(file);
    String text = new String(bytes, ISO_8859_1);
    Files.write(file, text.replace("\"F4\"", "\"Z4\"").getBytes(ISO_8859_1));
    assertArrayEquals(VALUES, weights(file, MathMode.STRICT));
    Files.write(file, text.replace("\"F32\"", "\"F33\"").getBytes(ISO_8859_1));
    IOException failure = assertThrows(IOException.class, () -> Sequential.load(file));
    assertTrue(
        failure
            .getMessage()
            .equals(file + ": tensor 0.weight has type F33; F32, F64, F16, BF16 are read"),
        failure.getMessage());
  }
}
