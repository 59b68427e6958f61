// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.embeddings;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.bench.report.VectorTask;
import dev.weft.device.Program;
import dev.weft.embed.Vectors;
import dev.weft.op.MatMul;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * The neighbours of many random vectors among the rows of a mapped file, beside the matrix products
 * alone: over as many tiles, of operands that stay in memory.
 *
 * @param words rows of the file
 * @param asked vectors, a multiple of {@link #TILE} or fewer
 */
record Asking(int words, int dimension, int asked) {
  private static final int BLOCK = 2048; // rows of a product
  private static final int TILE = 500; // vectors of one
  private static final int NEAREST = 10;
  private static final double MOST = 1.4;

  /** The sizes that the target is for. */
  static final Asking USUAL = new Asking(1_000_000, 300, 10_000);

  /** Measures, with a file in the folder that is removed at the end. */
  VectorTask measure(Path folder, int threads, int turns) throws IOException {
    Path file = folder.resolve("rows");
    StandardOpenOption[] options = {
      StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE
    };
    try (FileChannel channel = FileChannel.open(file, options);
        Arena arena = Arena.ofShared();
        Device device = Device.cpu(threads)) {
      long row = (long) dimension * Float.BYTES;
      MemorySegment rows = channel.map(MapMode.READ_WRITE, 0, words * row, arena);
      IntStream.range(0, words)
          .parallel()
          .forEach(
              i ->
                  MemorySegment.copy(draw(i), 0, rows, ValueLayout.JAVA_FLOAT, i * row, dimension));
      List<String> names = IntStream.range(0, words).mapToObj(Integer::toString).toList();
      float[][] vectors =
          IntStream.range(0, asked).mapToObj(i -> draw(-1 - i)).toArray(float[][]::new);
      try (Vectors among = Vectors.of(names, rows, dimension)) {
        return measure(among, vectors, device, turns);
      }
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private float[] draw(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[dimension];
    for (int i = 0; i < dimension; i++) {
      values[i] = 2 * random.nextFloat() - 1;
    }
    return values;
  }

  private VectorTask measure(Vectors among, float[][] vectors, Device device, int turns) {
    List<Double> searches = new ArrayList<>();
    List<Double> products = new ArrayList<>();
    int tile = Math.min(TILE, asked);
    int block = Math.min(BLOCK, words);
    double repeats = ((double) words / block) * ((double) asked / tile);
    try (Tape tape = Tape.inference(device);
        Tensor left = device.tensor(flat(vectors, tile));
        Tensor right = device.tensor(flat(vectors, block))) {
      Tensor a = left.view(0, Shape.of(tile, dimension));
      Tensor b = right.view(0, Shape.of(block, dimension));
      MatMul product = new MatMul(MatMul.Form.PLAIN, MatMul.Form.TRANSPOSED);
      try (Program program = Engine.record(device, () -> tape.apply(product, a, b))) {
        program.run();
        among.neighbours(device, List.of(among.word(0)), NEAREST); // norms of all rows
        for (int turn = 0; turn < turns; turn++) {
          searches.add(seconds(() -> among.neighbours(device, vectors, NEAREST)));
          int runs = (int) Math.ceil(repeats);
          double all =
              seconds(
                  () -> {
                    for (int i = 0; i < runs; i++) {
                      program.run();
                    }
                    device.synchronize();
                  });
          products.add(all * repeats / runs);
        }
      }
    }
    String name =
        format(
            "%,d neighbours of %,d vectors among %,d x %d in a mapped file, beside the products",
            NEAREST, asked, words, dimension);
    return new VectorTask(name, searches, products, equals(USUAL) ? MOST : 0);
  }

  /** So many rows, from the first on again and again. */
  private float[] flat(float[][] vectors, int count) {
    float[] all = new float[count * dimension];
    for (int i = 0; i < count; i++) {
      System.arraycopy(vectors[i % vectors.length], 0, all, i * dimension, dimension);
    }
    return all;
  }

  private static double seconds(Runnable what) {
    long start = System.nanoTime();
    what.run();
    return (System.nanoTime() - start) / 1e9;
  }
}
