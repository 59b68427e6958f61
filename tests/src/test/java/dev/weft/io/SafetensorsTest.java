// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
  @TempDir Path folder;

  @Test
  void whatIsWrittenIsRead() throws IOException {
    Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>();
    tensors.put("bytes", new Safetensors.Entry("U8", new long[] {3}, bytes(1, 2, -1)));
    tensors.put("w \"ü\"\n", floats(new long[] {2, 3}, 1, 2, 3, -4, 5.5f, Float.NaN));
    tensors.put("scalar", floats(new long[0], 42));
    tensors.put("empty", new Safetensors.Entry("F64", new long[] {0, 7}, bytes()));
    tensors.put("half", new Safetensors.Entry("BF16", new long[] {1, 1}, bytes(0x80, 0x3F)));
    Path path = folder.resolve("model.safetensors");
    Map<String, String> metadata = Map.of("format", "pt", "note", "größer <&>\u2028");
    Safetensors.write(path, tensors, metadata);
    Safetensors.Contents contents = Safetensors.read(path);
    assertEquals(metadata, contents.metadata());
    assertEquals(tensors.keySet(), contents.tensors().keySet());
    tensors.forEach(
        (name, expected) -> {
          Safetensors.Entry actual = contents.tensor(name);
          assertEquals(expected.dtype(), actual.dtype());
          assertArrayEquals(expected.shape(), actual.shape());
          assertEquals(-1, expected.data().mismatch(actual.data()), name);
        });
    assertEquals(
        List.of("empty", "scalar", "w \"ü\"\n", "half", "bytes"),
        List.copyOf(contents.tensors().keySet()),
        "largest element first, then by name");
    String message =
        assertThrows(IllegalArgumentException.class, () -> contents.tensor("v")).getMessage();
    assertTrue(message.contains("no tensor v") && message.contains("scalar"), message);
  }

  @Test
  void bytesAreThoseOfTheReferenceWriter() throws IOException {
    Path path = folder.resolve("model.safetensors");
    Safetensors.write(
        path,
        Map.of("b", floats(new long[] {1}, 1), "a", floats(new long[] {1}, 2)),
        Map.of("k", "v"));
    String header =
        "{\"__metadata__\":{\"k\":\"v\"},"
            + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}";
    header += " ".repeat((8 - header.length() % 8) % 8);
    byte[] data = {0, 0, 0, 0x40, 0, 0, (byte) 0x80, 0x3F};
    assertArrayEquals(file(header, data), Files.readAllBytes(path));
  }

  @Test
  void dataIsAlignedToItsElements() throws IOException {
    Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>();
    for (String name : List.of("a", "bb", "ccc")) {
      tensors.put(name + 1, new Safetensors.Entry("U8", new long[] {1}, bytes(1)));
      tensors.put(name + 4, floats(new long[] {1}, 1));
      tensors.put(name + 8, new Safetensors.Entry("F64", new long[] {1}, bytes(new int[8])));
      Path path = folder.resolve("model.safetensors");
      Safetensors.write(path, tensors, Map.of());
      Safetensors.read(path)
          .tensors()
          .forEach(
              (key, entry) ->
                  assertEquals(
                      0, entry.data().address() % (key.charAt(key.length() - 1) - '0'), key));
    }
  }

  @Test
  void entriesThatDoNotFitAreAnError() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new Safetensors.Entry("F32", new long[] {2}, bytes(1, 2, 3, 4)));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Safetensors.Entry("F33", new long[] {1}, bytes(1, 2, 3, 4)));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Safetensors.Entry("U8", new long[] {-1, -1}, bytes(1)));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Safetensors.Entry("F32", new long[] {1L << 62, 4}, bytes()));
    Map<String, Safetensors.Entry> reserved = Map.of("__metadata__", floats(new long[0], 1));
    Path path = folder.resolve("model.safetensors");
    assertThrows(IllegalArgumentException.class, () -> Safetensors.write(path, reserved, Map.of()));
    Map<String, Safetensors.Entry> surrogate = Map.of("\uD800", floats(new long[0], 1));
    assertThrows(
        IllegalArgumentException.class, () -> Safetensors.write(path, surrogate, Map.of()));
    assertTrue(Files.notExists(path));
  }

  @Test
  void aFileCutAtAnyByteIsAFormatException() throws IOException {
    byte[] whole = valid();
    assertEquals(2, Safetensors.read(write(whole)).tensors().size());
    for (int length = 0; length < whole.length; length++) {
      Path cut = write(Arrays.copyOf(whole, length));
      FormatException failure =
          assertThrows(FormatException.class, () -> Safetensors.read(cut), "cut at " + length);
      FormatException mapped =
          assertThrows(
              FormatException.class,
              () -> Safetensors.map(cut, Arena.ofAuto()),
              "cut at " + length);
      assertEquals(failure.getMessage(), mapped.getMessage());
      assertEquals(cut, failure.path());
      assertTrue(length == 0 || failure.getMessage().contains("cut short"), failure.getMessage());
      assertTrue(failure.offset() >= 0 && failure.offset() <= length, failure.getMessage());
      assertTrue(failure.getMessage().startsWith(cut + ", byte " + failure.offset() + ": "));
    }
    assertFails(whole.length, "25 bytes of data", Arrays.copyOf(whole, whole.length + 1));
  }

  @Test
  void aFileWithAnyByteDamagedIsReadOrAFormatException() throws IOException {
    byte[] whole = valid();
    int read = 0;
    for (int i = 0; i < whole.length; i++) {
      for (int flip : new int[] {1, 2, 0x10, 0x80, 0xFF}) {
        byte[] damaged = whole.clone();
        damaged[i] ^= (byte) flip;
        Path path = write(damaged);
        try {
          Safetensors.read(path);
          read++;
        } catch (FormatException expected) {
          assertTrue(expected.getMessage().startsWith(path + ", byte "));
        }
      }
    }
    assertTrue(read >= 24 * 5, "damage to the numbers themselves cannot be seen");
  }

  @Test
  void headersThatDoNotFitTheFileAreAnError() throws IOException {
    byte[] huge = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN).putLong(1L << 62).array();
    assertFails(
        0, "not a safetensors file: it begins with 00 00 00 00 00 00 00 40, and not with", huge);
    Arrays.fill(huge, (byte) -1);
    assertFails(0, "it begins with FF FF FF FF FF FF FF FF,", huge);
    assertFails(0, "and not with the size of a header, 2 to 100000000 as 8 bytes", new byte[64]);
    byte[] other = "PNG or what not, but long enough".getBytes(StandardCharsets.US_ASCII);
    assertFails(0, "it begins with 50 4E 47 20 6F 72 20 77 ('PNG or w')", other);
    assertFails(
        3,
        "not a safetensors file, or one that is cut short: it ends within",
        Arrays.copyOf(other, 3));
    assertFails(0, "the file is empty", new byte[0]);
    assertFails(8 + 1, "not UTF-8", file(new byte[] {'{', (byte) 0xFF, '}'}, new byte[0]));
    assertFails(
        8,
        "not a safetensors file: a header of JSON is expected here, which must",
        file(" {}", new byte[0]));
    assertFails(8, "not the JSON", file("{\"a\":1}", new byte[0]));
    assertFails(8, "not the JSON", file("{'a':{}}", new byte[0]));
    assertFails(8, "not the JSON", file("{} x", new byte[0]));
    assertFails(8, "not the JSON", file("{\"a\":" + "[".repeat(5000), new byte[0]));
    assertFails(8, "metadata k is not text", file("{\"__metadata__\":{\"k\":1}}", new byte[0]));
    assertEquals(Map.of(), Safetensors.read(write(file("{}  ", new byte[0]))).tensors());
  }

  @Test
  void tensorsThatOverlapOrLeaveGapsAreAnError() throws IOException {
    assertTensorsFail(
        16,
        "overlap nor leave gaps",
        tensor("a", "U8", "8", "0,8"),
        tensor("b", "U8", "16", "4,20"));
    assertTensorsFail(
        16,
        "overlap nor leave gaps",
        tensor("a", "U8", "8", "0,8"),
        tensor("b", "U8", "7", "9,16"));
    assertTensorsFail(16, "begins at 1", tensor("a", "U8", "15", "1,16"));
    assertTensorsFail(
        16,
        ": 16 bytes of data after the header; its tensors take 8",
        tensor("a", "U8", "8", "0,8"));
    assertTensorsFail(16, "its tensors take 17", tensor("a", "U8", "17", "0,17"));
    Path swapped =
        write(
            file(
                "{" + tensor("b", "U8", "8", "8,16") + "," + tensor("a", "U8", "8", "0,8") + "}",
                new byte[16]));
    assertEquals(List.of("a", "b"), List.copyOf(Safetensors.read(swapped).tensors().keySet()));
  }

  @Test
  void tensorsWhoseSizeDoesNotFitTheirShapeAreAnError() throws IOException {
    assertTensorsFail(
        16,
        "F32 of shape [5], takes 20 bytes; its data_offsets are 16 apart",
        tensor("a", "F32", "5", "0,16"));
    assertTensorsFail(
        16, "F4 of shape [3, 11] takes 132 bits, which are not", tensor("a", "F4", "3,11", "0,16"));
    assertTensorsFail(
        16,
        "F6_E2M3 of shape [20], takes 15 bytes; its data_offsets are 16 apart",
        tensor("a", "F6_E2M3", "20", "0,16"));
    assertTensorsFail(
        16, "more than 2^63 bytes", tensor("a", "U8", "4294967296,4294967296", "0,16"));
    assertTensorsFail(16, "has -1 in its shape", tensor("a", "U8", "-1", "0,16"));
    assertTensorsFail(16, "has 1.5 in its shape", tensor("a", "U8", "1.5", "0,16"));
    assertTensorsFail(
        16, "has 99999999999999999999 in its", tensor("a", "U8", "99999999999999999999", "0,16"));
    assertTensorsFail(16, "has STRING in its shape", tensor("a", "U8", "\"16\"", "0,16"));
    assertTensorsFail(16, "they are its begin and its end", tensor("a", "U8", "16", "16,0"));
    assertTensorsFail(16, "they are its begin and its end", tensor("a", "U8", "16", "0,8,16"));
    assertTensorsFail(16, "must have dtype, shape and data_offsets", "\"a\":{\"dtype\":\"U8\"}");
  }

  @Test
  void whatWasReadStaysWhenTheFileIsCutAfterwards() throws IOException {
    byte[] numbers = new byte[100_000];
    Arrays.fill(numbers, (byte) 7);
    Path path = folder.resolve("model.safetensors");
    MemorySegment written = MemorySegment.ofArray(numbers);
    Safetensors.Entry entry = new Safetensors.Entry("U8", new long[] {100_000}, written);
    Safetensors.write(path, Map.of("x", entry), Map.of());
    Safetensors.Contents contents = Safetensors.read(path);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      channel.truncate(500);
    }
    assertEquals(-1, written.mismatch(contents.tensor("x").data()));
    assertThrows(FormatException.class, () -> Safetensors.map(path, Arena.ofAuto()));
  }

  @Test
  void namesThatComeTwiceAreAnError() throws IOException {
    String a = tensor("a", "U8", "16", "0,16");
    assertTensorsFail(16, "the name a comes twice", a, a);
    assertTensorsFail(16, "has dtype twice", a.replace("{", "{\"dtype\":\"U8\","));
    assertTensorsFail(
        16, "the metadata k comes twice", "\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}", a);
    assertEquals(1, Safetensors.read(write(file("{" + a + "}", new byte[16]))).tensors().size());
  }

  @Test
  void aPathThatIsNoFileIsAnError() {
    assertThrows(NoSuchFileException.class, () -> Safetensors.read(folder.resolve("absent")));
    assertThrows(FileSystemException.class, () -> Safetensors.read(folder));
  }

  @Test
  void aFileMappedBeforeItIsReplacedKeepsItsNumbers() throws IOException {
    Path path = folder.resolve("model.safetensors");
    Safetensors.write(path, Map.of("a", floats(new long[] {1}, 1)), Map.of());
    MemorySegment first = Safetensors.map(path, Arena.ofAuto()).tensor("a").data();
    Safetensors.write(path, Map.of("a", floats(new long[] {1}, 2)), Map.of());
    assertEquals(1, first.get(ValueLayout.JAVA_FLOAT, 0));
    assertEquals(2, Safetensors.read(path).tensor("a").data().get(ValueLayout.JAVA_FLOAT, 0));
  }

  @Test
  void fileOfPyTorchIsReadAsGsonReadsItAndWrittenBackToTheSameTensors() throws IOException {
    String data = System.getenv("WEFT_DATA");
    assumeTrue(
        data != null && !data.isEmpty(),
        "WEFT_DATA is not set; it names the folder with model-files/");
    Path path = Path.of(data, "model-files", "tensors", "multi_layer.safetensors");
    Safetensors.Contents contents = Safetensors.read(path);
    ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    int size = (int) file.getLong(0);
    JsonObject header =
        new Gson()
            .fromJson(new String(file.array(), 8, size, StandardCharsets.UTF_8), JsonObject.class);
    assertEquals(9, contents.tensors().size());
    assertEquals(header.keySet(), contents.tensors().keySet());
    assertArrayEquals(new long[] {16, 256}, contents.tensor("fc1.weight").shape());
    assertEquals("I64", contents.tensor("norm1.num_batches_tracked").dtype());
    int begin = header.getAsJsonObject("fc1.bias").getAsJsonArray("data_offsets").get(0).getAsInt();
    assertEquals(
        file.getFloat(8 + size + begin),
        contents.tensor("fc1.bias").data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0));
    Path copy = folder.resolve("copy.safetensors");
    Safetensors.write(copy, contents.tensors(), contents.metadata());
    assertEquals(-1, Files.mismatch(path, copy), "written as PyTorch's writer wrote it");
  }

  private void assertTensorsFail(int dataBytes, String message, String... tensors)
      throws IOException {
    byte[] content = file("{" + String.join(",", tensors) + "}", new byte[dataBytes]);
    FormatException failure =
        assertThrows(FormatException.class, () -> Safetensors.read(write(content)));
    assertTrue(
        failure.getMessage().contains(message),
        () -> "expected '" + message + "' in '" + failure.getMessage() + "'");
  }

  private void assertFails(long offset, String message, byte[] content) throws IOException {
    Path path = write(content);
    FormatException failure = assertThrows(FormatException.class, () -> Safetensors.read(path));
    assertTrue(
        failure.getMessage().contains(message),
        () -> "expected '" + message + "' in '" + failure.getMessage() + "'");
    assertEquals(offset, failure.offset(), failure.getMessage());
  }

  static String tensor(String name, String dtype, String shape, String offsets) {
    return "\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%s]}"
        .formatted(name, dtype, shape, offsets);
  }

  private static byte[] valid() {
    String header =
        "{\"__metadata__\":{\"k\":\"v\"},"
            + tensor("a", "F64", "1", "0,8")
            + ","
            + tensor("b", "F32", "2,2", "8,24")
            + "}";
    return file(header, new byte[24]);
  }

  static byte[] file(String header, byte[] data) {
    return file(header.getBytes(StandardCharsets.UTF_8), data);
  }

  static byte[] file(byte[] header, byte[] data) {
    return ByteBuffer.allocate(8 + header.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .put(data)
        .array();
  }

  private Path write(byte[] content) throws IOException {
    return Files.write(folder.resolve("file.safetensors"), content);
  }

  private static Safetensors.Entry floats(long[] shape, float... values) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return new Safetensors.Entry("F32", shape, MemorySegment.ofBuffer(bytes.flip()));
  }

  static MemorySegment bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return MemorySegment.ofArray(bytes);
  }
}
