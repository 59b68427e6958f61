// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.train.Evaluation;
import dev.weft.train.History;
import dev.weft.train.Listener;
import dev.weft.train.TrainingRun;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A file with one line of JSON an epoch, each written when its epoch ends. Where that fails it says
 * so and training goes on: the network is worth more.
 */
final class EpochLog implements Listener, AutoCloseable {
  private final Path file;
  private final OutputStream out;
  private final Device device;
  private final PrintWriter err;
  private int member;
  private boolean failed;

  /**
   * Begins the file anew.
   *
   * @param err where failures are said
   */
  EpochLog(Path file, Device device, PrintWriter err) throws IOException {
    this.file = file;
    this.out = Files.newOutputStream(file);
    this.device = device;
    this.err = err;
  }

  /** The lines to come are of this member of an ensemble, counted from 1. */
  void member(int number) {
    member = number;
  }

  /** Whether lines are missing. */
  boolean failed() {
    return failed;
  }

  @Override
  public void onEpoch(TrainingRun run, History.Epoch epoch) {
    write(member == 0 ? Map.of() : Map.of("member", member), epoch);
  }

  /** Writes an epoch behind what its line begins with. */
  void write(Map<String, ?> first, History.Epoch epoch) {
    if (failed) {
      return;
    }
    Map<String, Object> line = new LinkedHashMap<>(first);
    line.put("epoch", epoch.number());
    put(line, "train", epoch.train());
    if (epoch.test() != null) {
      put(line, "test", epoch.test());
    }
    line.put("rate", epoch.rate());
    line.put("seconds", epoch.seconds());
    line.put("samples_per_second", Json.finite(epoch.train().rows() / epoch.seconds()));
    line.put("device", device.name());
    line.put("hardware", device.description());
    line.put("weft", Version.weft());
    line.put("platform", Version.platform());
    try {
      out.write((Json.line(line) + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      fail(e, epoch.number());
    }
  }

  private static void put(Map<String, Object> line, String part, Evaluation evaluation) {
    line.put(part + "_loss", Json.finite(evaluation.loss()));
    line.put(part + "_accuracy", Json.finite(evaluation.accuracy()));
  }

  private void fail(IOException e, long epoch) {
    failed = true;
    err.printf(
        ROOT,
        "weft: %s: %s; the log ends before epoch %d, training goes on%n",
        file,
        Explanation.of(e),
        epoch);
    err.flush();
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      failed = true;
      err.println("weft: " + file + ": " + Explanation.of(e));
    }
  }
}
