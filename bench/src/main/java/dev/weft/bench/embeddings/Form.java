// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.embeddings;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.embed.Word2Vec.Model;
import dev.weft.embed.Word2Vec.Objective;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What is measured: forms of word2vec, and what is done beside training. */
public enum Form {
  SKIP_GRAM(Model.SKIP_GRAM, Objective.NEGATIVE_SAMPLING, 10),
  CBOW(Model.CBOW, Objective.NEGATIVE_SAMPLING, 12),
  SKIP_GRAM_HS(Model.SKIP_GRAM, Objective.HIERARCHICAL_SOFTMAX, 4),
  CBOW_HS(Model.CBOW, Objective.HIERARCHICAL_SOFTMAX, 8),
  SKIP_GRAM_300(Model.SKIP_GRAM, Objective.NEGATIVE_SAMPLING, 6),
  FAST_RATE(Model.SKIP_GRAM, Objective.NEGATIVE_SAMPLING, 0),
  SKIP_GRAM_FULL(Model.SKIP_GRAM, Objective.FULL_SOFTMAX, 0),
  CBOW_FULL(Model.CBOW, Objective.FULL_SOFTMAX, 0),
  READING(null, null, 0),
  NEIGHBOURS(null, null, 0);

  /** Of the forms whose targets hold for it, and of {@link #SKIP_GRAM_300}. */
  private static final int USUAL = 100;

  private static final int WIDE = 300;

  private static final double EXACT = 4;
  private static final double WHOLE = 8;
  private static final int WHOLE_EPOCHS = 5;

  private static final double CBOW_RATE = 0.05;
  private static final double SKIP_GRAM_RATE = 0.025;

  final Model model;
  final Objective objective;
  private final double target;

  Form(Model model, Objective objective, double target) {
    this.model = model;
    this.objective = objective;
    this.target = target;
  }

  /**
   * Weft's side in a form.
   *
   * @param target for the ratio of training, and for that of whole commands; 0 for none
   */
  record Entrant(Side side, double target, double wholeTarget) {}

  /** Whether word vectors are trained. */
  public boolean trains() {
    return model != null;
  }

  /** Whether others train so, too. */
  boolean hasPeers() {
    return trains() && objective != Objective.FULL_SOFTMAX;
  }

  /** The dimension of its vectors where others have so many. */
  int dimension(int others) {
    return this == SKIP_GRAM_300 ? WIDE : others;
  }

  /** The learning rate at the start: word2vec.c's own, or twice that. */
  double rate() {
    return model == Model.CBOW || this == FAST_RATE ? CBOW_RATE : SKIP_GRAM_RATE;
  }

  /**
   * Weft's sides, the first one that of a user who sets nothing.
   *
   * @param isa the instruction set that Weft's kernels chose
   */
  List<Entrant> weft(int dimension, int epochs, String isa) {
    boolean usual = this == SKIP_GRAM_300 || dimension == USUAL;
    double wanted = usual ? target : 0;
    boolean five = dimension == USUAL && epochs == WHOLE_EPOCHS;
    double whole = five && target > 0 ? WHOLE : 0;
    List<Entrant> all = new ArrayList<>();
    all.add(new Entrant(Side.weft("Weft", Map.of()), wanted, whole));
    if (this == SKIP_GRAM) {
      add(all, "Weft --sharing 0", usual ? EXACT : 0, "--sharing", "0");
      add(all, "Weft --deterministic", 0, "--deterministic");
      add(all, "Weft --deterministic, 1 thread", 0, "--deterministic", "-threads", "1");
    }
    boolean narrower = this == SKIP_GRAM || this == CBOW || this == SKIP_GRAM_300;
    if (narrower && isa.equals("avx512")) {
      Side avx2 = Side.weft("Weft, AVX2", Map.of("WEFT_MAX_ISA", "avx2"));
      all.add(new Entrant(avx2, wanted / 2, 0));
    }
    return all;
  }

  private static void add(List<Entrant> all, String name, double target, String... options) {
    all.add(new Entrant(Side.weft(name, Map.of(), options), target, 0));
  }

  /** As it is typed. */
  public String word() {
    return name().toLowerCase(ROOT).replace('_', '-');
  }

  /**
   * The form that a word stands for.
   *
   * @throws IllegalArgumentException that lists them
   */
  public static Form of(String word) {
    return Arrays.stream(values())
        .filter(form -> form.word().equalsIgnoreCase(word))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    Arrays.stream(values())
                        .map(Form::word)
                        .collect(
                            Collectors.joining(
                                ", ", format("unknown form '%s': use ", word), ""))));
  }
}
