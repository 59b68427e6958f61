// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import static dev.weft.io.SafetensorsTest.bytes;
import static dev.weft.io.SafetensorsTest.file;
import static dev.weft.io.SafetensorsTest.tensor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which types of numbers a file may have, and what memory they may be in. */
class SafetensorsTypesTest {
  @TempDir Path folder;

  /** The reference implementation's types, their bits, and a shape that takes 16 bytes. */
  @ParameterizedTest
  @CsvSource({
    "F4, '4,8'",
    "F6_E3M2, '64,0'",
    "F8_E4M3FNUZ, 16",
    "F8_E5M2FNUZ, 16",
    "F8_E8M0, 16",
    "C64, 2",
    "BOOL, 16",
    "U16, 8",
    "U64, 2"
  })
  void everyTypeOfTheFormatIsRead(String dtype, String shape) throws IOException {
    boolean empty = shape.endsWith(",0");
    String tensors = tensor("a", dtype, shape, empty ? "0,0" : "0,16");
    Path path = write(file("{" + tensors + "}", new byte[empty ? 0 : 16]));
    Safetensors.Contents contents = Safetensors.read(path);
    assertEquals(dtype, contents.tensor("a").dtype());
    assertEquals(Map.of(), contents.unknown());
    Path copy = folder.resolve("copy");
    Safetensors.write(copy, contents.tensors(), Map.of());
    assertEquals(
        contents.tensor("a").data().byteSize(),
        Safetensors.map(copy, Arena.ofAuto()).tensor("a").data().byteSize());
  }

  @Test
  void aTensorOfAnUnknownTypeHindersNobodyButWhoAsksForIt() throws IOException {
    String header = "{" + tensor("new", "F7", "5", "0,4") + "," + tensor("b", "U8", "2", "4,6");
    Path path = write(file(header + "}", new byte[] {1, 2, 3, 4, 5, 6}));
    for (Safetensors.Contents contents :
        List.of(Safetensors.read(path), Safetensors.map(path, Arena.ofAuto()))) {
      assertEquals(Map.of("new", "F7"), contents.unknown());
      assertEquals(6, contents.tensor("b").data().get(ValueLayout.JAVA_BYTE, 1));
      String message =
          assertThrows(IllegalArgumentException.class, () -> contents.tensor("new")).getMessage();
      assertEquals("tensor new cannot be read: its type is F7; those of [b] can", message);
    }
  }

  @Test
  void tensorsOfOneSizeLieInTheReferenceWritersOrderOfTypes() throws IOException {
    Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>();
    for (String dtype : List.of("F16", "U64", "F64", "U8", "BF16", "I64", "I8", "BOOL", "U32")) {
      int bytes = dtype.endsWith("64") ? 8 : dtype.endsWith("16") ? 2 : dtype.equals("U32") ? 4 : 1;
      tensors.put(dtype, new Safetensors.Entry(dtype, new long[] {1}, bytes(new int[bytes])));
    }
    Path path = folder.resolve("model.safetensors");
    Safetensors.write(path, tensors, Map.of());
    assertEquals(
        List.of("U64", "I64", "F64", "U32", "BF16", "F16", "I8", "U8", "BOOL"),
        List.copyOf(Safetensors.read(path).tensors().keySet()));
  }

  @Test
  void segmentsOverEveryKindOfArrayAreWritten() throws IOException {
    float[] floats = new float[600_000]; // more than one piece of the copy
    floats[0] = 1;
    floats[599_999] = 3;
    byte[] expected = new byte[2_400_000];
    ByteBuffer.wrap(expected).order(ByteOrder.LITTLE_ENDIAN).putFloat(0, 1).putFloat(2_399_996, 3);
    MemorySegment bytes = Arena.ofAuto().allocate(2_400_000, 8);
    bytes.copyFrom(MemorySegment.ofArray(expected));
    Map<String, MemorySegment> segments = new LinkedHashMap<>();
    segments.put("float", MemorySegment.ofArray(floats));
    segments.put("read-only", MemorySegment.ofArray(floats).asReadOnly());
    segments.put("byte", MemorySegment.ofArray(expected));
    segments.put("short", MemorySegment.ofArray(bytes.toArray(ValueLayout.JAVA_SHORT)));
    segments.put("char", MemorySegment.ofArray(bytes.toArray(ValueLayout.JAVA_CHAR)));
    segments.put("int", MemorySegment.ofArray(bytes.toArray(ValueLayout.JAVA_INT)));
    segments.put("long", MemorySegment.ofArray(bytes.toArray(ValueLayout.JAVA_LONG)));
    segments.put("double", MemorySegment.ofArray(bytes.toArray(ValueLayout.JAVA_DOUBLE)));
    segments.put("off the heap", bytes);
    segments.put(
        "slice", MemorySegment.ofArray(new long[300_001]).asSlice(4, 2_400_000).copyFrom(bytes));
    segments.put("buffer", MemorySegment.ofBuffer(FloatBuffer.wrap(floats)));
    Path path = folder.resolve("model.safetensors");
    segments.forEach(
        (kind, data) -> {
          Safetensors.Entry entry = new Safetensors.Entry("F32", new long[] {600_000}, data);
          try {
            Safetensors.write(path, Map.of("x", entry), Map.of());
            assertEquals(-1, bytes.mismatch(Safetensors.read(path).tensor("x").data()), kind);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  private Path write(byte[] content) throws IOException {
    return Files.write(folder.resolve("file.safetensors"), content);
  }
}
