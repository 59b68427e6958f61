// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.peer;

import static java.util.Locale.ROOT;

import dev.weft.MathMode;
import java.util.List;
import java.util.stream.Stream;

/** Who can run a training step in this process. */
public enum Side {
  WEFT("Weft"),
  DJL("DJL"),
  TENSORFLOW("TensorFlow");

  private final String label;

  Side(String label) {
    this.label = label;
  }

  /** As it is printed. */
  public String label() {
    return label;
  }

  /** As it is typed. */
  public String word() {
    return name().toLowerCase(ROOT);
  }

  /** The arithmetic that is timed: all that Weft trains in, float32 of the others. */
  public List<MathMode> modes() {
    return this == WEFT
        ? Stream.of(MathMode.values()).filter(mode -> mode != MathMode.DOUBLE).toList()
        : List.of(MathMode.STRICT);
  }

  /** Why it cannot run there, in a sentence; null where it can. */
  public String missing(Target target) {
    return switch (this) {
      case WEFT -> target.missing();
      case DJL ->
          isThere("ai.djl.pytorch.engine.PtEngine")
              ? DjlTraining.missing(target)
              : "DJL is not on the class path; a build from source has it, a bundle does not.";
      case TENSORFLOW ->
          isThere("org.tensorflow.internal.c_api.TF_Session")
              ? TensorflowTraining.missing(target)
              : "TensorFlow is not on the class path; ./weft bench steps --peer tensorflow fetches"
                  + " it (160 MB from Maven Central).";
    };
  }

  private static boolean isThere(String type) {
    try {
      Class.forName(type, false, Side.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  /**
   * Starts training.
   *
   * @throws IllegalArgumentException where it has no such arithmetic
   */
  public TrainingStep start(Mlp mlp, MathMode mode, Target target) {
    if (!modes().contains(mode)) {
      throw new IllegalArgumentException(label + " is not timed in " + mode);
    }
    return switch (this) {
      case WEFT -> new WeftTraining(mlp, mode, target.open());
      case DJL -> new DjlTraining(mlp, target);
      case TENSORFLOW -> new TensorflowTraining(mlp);
    };
  }
}
