// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.nn.ModelTest.refused;
import static dev.weft.nn.TextModels.BEFORE;
import static dev.weft.nn.TextModels.WORDS;
import static dev.weft.nn.TextModels.plain;
import static dev.weft.nn.TextModels.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Batch;
import dev.weft.data.Dataset;
import dev.weft.optim.Adam;
import dev.weft.optim.Clip;
import dev.weft.optim.Sgd;
import dev.weft.optim.Stepper;
import dev.weft.support.OnEachDevice;
import dev.weft.train.Trainer;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Parameters in groups, each with a rule, a rate and a clipping of its own. */
class GroupsTest {
  @Test
  void groupsHaveTheirRatesAndRules() {
    Dataset data = text(100);
    float[][] bias = new float[2][];
    for (int i = 0; i < 2; i++) {
      try (Device device = Device.cpu();
          Sequential network = plain()) {
        Trainer trainer = Trainer.of(network).on(device).batch(100).optimizer(Sgd.rate(0.1));
        if (i == 1) {
          trainer.group("4.bias", Sgd.rate(0.3));
        }
        trainer.fit(data, 1);
        bias[i] = network.named().get("4.bias").tensor().toFloats();
      }
    }
    for (int i = 0; i < WORDS; i++) {
      assertEquals(3 * bias[0][i], bias[1][i], 1e-6f, "one step from zero at three times the rate");
    }
  }

  /** By hand, after training with groups: memory comes in another order, values stay. */
  @Test
  void aLoopByHandMayFollowTrainingWithGroups() {
    Dataset data = text(100);
    try (Device device = Device.cpu();
        Sequential network = plain()) {
      Trainer.of(network).on(device).group("*.bias", Sgd.rate(0.1)).fit(data, 1);
      double[] losses = new double[2];
      try (Stepper stepper = Adam.rate(0.01).stepper(network)) {
        for (int step = 0; step < 20; step++) {
          for (Batch batch : data.batches(device, 100, 0, 1)) {
            try (batch;
                Tape tape = stepper.tape()) {
              Tensor y = network.forward(tape, batch.inputs().features());
              Tensor loss = tape.softmaxCrossEntropy(y, batch.inputs().get(Inputs.TARGETS));
              tape.backward(loss);
              stepper.step();
              losses[step == 0 ? 0 : 1] = loss.item();
            }
          }
        }
      }
      assertTrue(losses[1] < losses[0], losses[1] + " after " + losses[0]);
    }
  }

  /** Steps of plain descent are as long as the clipped gradient times the rate. */
  @OnEachDevice
  void gradientsAreClippedByGroup(OnEachDevice.Place place) {
    Dataset data = text(100);
    try (Device device = place.open();
        Sequential network =
            Sequential.of(
                new Embedding(WORDS, 4, Initializers.normal(0, 1), Embedding.Gradient.DENSE),
                new Flatten(),
                new Linear(BEFORE * 4, WORDS))) {
      network.on(device);
      float[] weight = network.named().get("2.weight").tensor().toFloats();
      float[] table = network.named().get("0.table").tensor().toFloats();
      Trainer trainer =
          Trainer.of(network)
              .on(device)
              .batch(100)
              .optimizer(Sgd.rate(1))
              .group("0.*", Sgd.rate(2))
              .clip(Clip.norm(1e-3))
              .clip("0.*", Clip.norm(1e6));
      trainer.fit(data, 1);
      double norm = 0;
      for (String name : List.of("2.weight", "2.bias")) {
        float[] now = network.named().get(name).tensor().toFloats();
        for (int i = 0; i < now.length; i++) {
          double step = now[i] - (name.equals("2.bias") ? 0 : weight[i]);
          norm += step * step;
        }
      }
      assertEquals(1e-3, Math.sqrt(norm), 1e-5);
      float[] moved = network.named().get("0.table").tensor().toFloats();
      double most = 0;
      for (int i = 0; i < moved.length; i++) {
        most = Math.max(most, Math.abs(moved[i] - table[i]));
      }
      assertTrue(most > 1e-3, "a large bound clips nothing");
      refused("there is no group 'x' to clip", () -> trainer.clip("x", Clip.norm(1)));
      refused("positive and finite, not 0.0", () -> trainer.clip(Clip.norm(0)));
    }
  }
}
