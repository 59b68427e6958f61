// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.Device;
import dev.weft.train.Evaluation;
import dev.weft.train.History;
import dev.weft.train.Listener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** A file with one line of JSON an epoch, each written when its epoch ends. */
final class EpochLog implements Listener, AutoCloseable {
  private final Writer writer;
  private final Device device;

  /** Begins the file anew. */
  EpochLog(Path file, Device device) throws IOException {
    this.writer = Files.newBufferedWriter(file);
    this.device = device;
  }

  /** Reading metrics makes the device wait, and nothing is written within an epoch. */
  @Override
  public int every() {
    return Integer.MAX_VALUE;
  }

  @Override
  public void onEpoch(History.Epoch epoch) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("epoch", epoch.number());
    put(line, "train", epoch.train());
    if (epoch.test() != null) {
      put(line, "test", epoch.test());
    }
    line.put("seconds", epoch.seconds());
    line.put("samples_per_second", epoch.train().rows() / epoch.seconds());
    line.put("device", device.name());
    line.put("hardware", device.description());
    line.put("weft", Version.weft());
    line.put("platform", Version.platform());
    try {
      writer.write(Json.line(line) + "\n");
      writer.flush();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the log: " + Explanation.of(e), e);
    }
  }

  private static void put(Map<String, Object> line, String part, Evaluation evaluation) {
    line.put(part + "_loss", Json.finite(evaluation.loss()));
    line.put(part + "_accuracy", Json.finite(evaluation.accuracy()));
  }

  @Override
  public void close() throws IOException {
    writer.close();
  }
}
