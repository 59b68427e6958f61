// SPDX-License-Identifier: Apache-2.0
// text: weft examples run word-vectors VECTORS ANALOGIES PAIRS COPY

import dev.weft.Device;
import dev.weft.embed.Analogies;
import dev.weft.embed.AnalogyScore;
import dev.weft.embed.VectorFormat;
import dev.weft.embed.Vectors;
import dev.weft.embed.WordPairs;
import java.nio.file.Path;
import java.util.List;

/** Opens word vectors, asks them, evaluates them and writes them in another format. */
public class WordVectors {
  /** Takes files: the vectors, analogies, pairs of words, and one to write. */
  public static void main(String[] args) throws Exception {
    try (Vectors vectors = Vectors.open(Path.of(args[0]));
        Device device = Device.cpu()) {
      System.out.println(vectors.neighbours("king", 3).getFirst().word());
      System.out.println(vectors.analogy("man", "woman", "king", 1).getFirst().word());
      System.out.println(vectors.neighbours(device, List.of("man", "woman"), 1).size());
      Analogies.Result result =
          Analogies.read(Path.of(args[1]))
              .evaluate(vectors, device, 30_000, Analogies.Rule.WORD2VEC, AnalogyScore.ADD);
      System.out.println(result.total().right() + " of " + result.total().asked());
      System.out.println(WordPairs.read(Path.of(args[2])).evaluate(vectors, 30_000).spearman());
      vectors.write(Path.of(args[3]), VectorFormat.SAFETENSORS);
    }
  }
}
