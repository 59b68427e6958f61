// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Little-endian bytes, one after the other. */
final class Bytes {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  Bytes number(int value) {
    return raw(ByteBuffer.allocate(Integer.BYTES).order(LITTLE_ENDIAN).putInt(value).array());
  }

  Bytes word(long value) {
    return raw(ByteBuffer.allocate(Long.BYTES).order(LITTLE_ENDIAN).putLong(value).array());
  }

  Bytes real(double value) {
    return word(Double.doubleToRawLongBits(value));
  }

  Bytes raw(byte[] content) {
    bytes.writeBytes(content);
    return this;
  }

  Bytes text(String content) {
    byte[] utf8 = content.getBytes(StandardCharsets.UTF_8);
    return number(utf8.length).raw(utf8);
  }

  byte[] take() {
    return bytes.toByteArray();
  }
}
