// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Where the blobs and cases of a case file lie, and whose they are; {@code native/harness/cases.h}
 * describes it.
 */
record CaseFileParts(List<Part> blobs, List<Part> cases) {
  private static final int NONE = -1;

  /**
   * A stretch of the file, behind its length and checksum.
   *
   * @param kernels of the case, or of all cases that have the blob
   */
  record Part(int start, int bytes, TreeSet<String> kernels) {}

  static CaseFileParts of(byte[] content) {
    ByteBuffer in = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).position(12);
    int blobs = in.getInt();
    int cases = in.getInt();
    in.getInt();
    CaseFileParts parts = new CaseFileParts(parts(in, blobs), parts(in, cases));
    for (Part one : parts.cases) {
      parts.readCase(in.position(one.start), one);
    }
    return parts;
  }

  private static List<Part> parts(ByteBuffer in, int count) {
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int bytes = in.getInt();
      in.getInt();
      parts.add(new Part(in.position(), bytes, new TreeSet<>()));
      in.position(in.position() + bytes);
    }
    return parts;
  }

  private void readCase(ByteBuffer in, Part one) {
    String kernel = text(in);
    one.kernels.add(kernel);
    text(in);
    in.position(in.position() + 2 * Integer.BYTES + 2 * Double.BYTES);
    boolean made = in.getDouble() > 0;
    for (int launches = in.getInt(); launches > 0; launches--) {
      text(in);
      in.position(in.position() + 2 * Integer.BYTES);
      int slots = in.getInt();
      in.position(in.position() + slots * (Integer.BYTES + Long.BYTES));
    }
    for (int buffers = in.getInt(); buffers > 0; buffers--) {
      text(in);
      in.position(in.position() + 2 * Integer.BYTES + Long.BYTES);
      if (made) {
        in.position(in.position() + Integer.BYTES + 4 * Long.BYTES);
        continue;
      }
      for (int content : new int[] {in.getInt(), in.getInt()}) {
        if (content != NONE) {
          blobs.get(content).kernels.add(kernel);
        }
      }
      in.position(in.position() + Double.BYTES);
    }
  }

  private static String text(ByteBuffer in) {
    byte[] utf8 = new byte[in.getInt()];
    in.get(utf8);
    return new String(utf8, StandardCharsets.UTF_8);
  }
}
