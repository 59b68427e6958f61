// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpyTest {
  @TempDir Path folder;

  private static byte[] file(String header, int version, int dataBytes) {
    byte[] text = header.getBytes(StandardCharsets.US_ASCII);
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.writeBytes(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) version, 0});
    file.writeBytes(new byte[] {(byte) text.length, 0});
    file.writeBytes(new byte[version == 1 ? 0 : 2]);
    file.writeBytes(text);
    file.writeBytes(new byte[dataBytes]);
    return file.toByteArray();
  }

  private Npy.Array map(byte[] content) throws IOException {
    return Npy.map(Files.write(folder.resolve("a.npy"), content), Arena.ofAuto());
  }

  @Test
  void headsOfEveryVersionAndShapeAreRead() throws IOException {
    for (int version = 1; version <= 3; version++) {
      String header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
      assertArrayEquals(new long[] {2, 3}, map(file(header, version, 24)).shape());
    }
    assertArrayEquals(
        new long[] {3},
        map(file("{'shape':(3,),'fortran_order':False,'descr':'<i8'}", 1, 24)).shape());
    Npy.Array scalar = map(file("{'descr': '|u1', 'fortran_order': False, 'shape': ()}", 1, 1));
    assertEquals(0, scalar.shape().length);
    assertEquals("|u1", scalar.descr());
  }

  @Test
  void whatIsWrittenIsReadAndAligned() throws IOException {
    for (long[] shape : List.of(new long[] {}, new long[] {4}, new long[] {1, 4})) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      Npy.writeHead(out, shape);
      assertEquals(0, out.size() % 64);
      out.writeBytes(new byte[shape.length == 0 ? 4 : 16]);
      Npy.Array read = map(out.toByteArray());
      assertArrayEquals(shape, read.shape());
      assertEquals("<f4", read.descr());
    }
  }

  @Test
  void whatIsWrongIsSaid() {
    String header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    assertFails("cut short, perhaps by a download", file(header, 1, 23));
    assertFails("25 bytes of numbers are here; <f4 of shape [2, 3] takes 24", file(header, 1, 25));
    assertFails("lies by columns", file(header.replace("False", "True"), 1, 24));
    assertFails("an array of |O", file(header.replace("<f4", "|O"), 1, 24));
    assertFails(
        "more than 2^63 bytes", file(header.replace("2, 3", "9999999999, 9999999999"), 1, 0));
    assertFails("no 'shape'", file(header.replace("shape", "size"), 1, 24));
    assertFails("no shape", file(header.replace("2, 3", "99999999999999999999"), 1, 24));
    assertFails("not an npy file", "a text".getBytes(StandardCharsets.US_ASCII));
    assertFails("ends within its header", Arrays.copyOf(file(header, 1, 24), 30));
    for (int size = 0; size < 12; size++) {
      assertFails("", Arrays.copyOf(file(header, 2, 24), size));
    }
  }

  private void assertFails(String words, byte[] content) {
    String said = assertThrows(FormatException.class, () -> map(content)).getMessage();
    assertTrue(said.contains(words), said);
  }

  @Test
  void aFileOfNumpyIsRead() throws IOException {
    String data = System.getenv("WEFT_DATA");
    assumeTrue(
        data != null && !data.isEmpty(),
        "WEFT_DATA is not set; it names the folder with model-files/");
    Npy.Array array = Npy.map(Path.of(data, "model-files/tensors/test.npy"), Arena.ofAuto());
    assertEquals("<i8", array.descr());
    assertArrayEquals(
        new long[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
        array.data().toArray(ValueLayout.JAVA_LONG_UNALIGNED));
  }
}
