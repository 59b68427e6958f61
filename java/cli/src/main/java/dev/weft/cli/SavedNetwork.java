// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Dataset;
import dev.weft.nn.LabelLoss;
import dev.weft.nn.Network;
import dev.weft.train.Evaluation;
import dev.weft.train.Evaluator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/** A network in a file, held against the one that it was written from. */
record SavedNetwork(Path file, Device device, MathMode math, LabelLoss loss, int batch) {

  /**
   * Reads the file, runs what it holds over the data and compares every output.
   *
   * @throws IOException where the file gives other outputs than the network
   */
  Evaluation evaluateLike(Network network, Dataset data) throws IOException {
    double[][] expected = network.scores(data);
    try (Network loaded = Network.load(file).on(device, math);
        Evaluator evaluator = new Evaluator(loaded, loss, data, batch)) {
      if (!Arrays.deepEquals(expected, loaded.scores(data))) {
        throw new IOException(
            file + ": read again, the network gives other outputs than the one that was trained");
      }
      return evaluator.evaluate();
    }
  }
}
