// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import java.util.ArrayList;
import java.util.List;

/**
 * A model of a {@link Sequential} and what is computed together with it: this alone knows which
 * neighbours those are.
 *
 * @param first its place
 * @param model what stands there
 * @param activation the activation behind a {@link Linear}, in one pass with its bias; else none
 */
public record Stage(int first, Model model, Activation activation) {
  static final Activation NONE = Activation.named("identity"); // not one that somebody wrote

  static List<Stage> of(List<Model> models) {
    List<Stage> stages = new ArrayList<>();
    for (int i = 0; i < models.size(); i++) {
      Model model = models.get(i);
      Model next = i + 1 < models.size() ? models.get(i + 1) : null;
      if (model instanceof Linear && next instanceof Activation activation) {
        stages.add(new Stage(i, model, activation));
        i++;
      } else {
        stages.add(new Stage(i, model, NONE));
      }
    }
    return List.copyOf(stages);
  }

  /** Its place and how it is written, the activation too. */
  String label() {
    return first + " " + model.spec() + (activation == NONE ? "" : " " + activation.spec());
  }
}
