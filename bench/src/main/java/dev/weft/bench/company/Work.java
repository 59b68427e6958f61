// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.bench.peer.Mlp;
import dev.weft.bench.peer.Side;
import dev.weft.bench.peer.Target;
import dev.weft.bench.peer.TrainingStep;
import dev.weft.bench.peer.WeftTraining;
import dev.weft.nn.Sequential;
import dev.weft.train.Fusion;
import java.util.List;

/**
 * What a child does over and over.
 *
 * @param threads of Weft; 0 for what a side takes where nobody says a number
 */
record Work(Side side, Task task, Mlp mlp, MathMode mode, int threads) {
  /** What one of its turns is. */
  enum Task {
    /** Training steps, as they come by default. */
    TRAIN,
    /** Training steps of one kernel for each operation. */
    TRAIN_UNFUSED,
    /** Predictions of one row each. */
    PREDICT
  }

  /** Something under way; closing it frees what it holds. */
  interface Started extends AutoCloseable {
    /** Makes one step or prediction. */
    void once();

    @Override
    void close();
  }

  /** Reads what {@link #words} wrote. */
  static Work parse(String[] words) {
    return new Work(
        Side.valueOf(words[0]),
        Task.valueOf(words[1]),
        Mlp.parse(words[2]),
        MathMode.valueOf(words[3]),
        Integer.parseInt(words[4]));
  }

  /** As arguments of a child. */
  List<String> words() {
    return List.of(
        side.name(), task.name(), mlp.toString(), mode.name(), Integer.toString(threads));
  }

  /** The same with a number of threads. */
  Work on(int threads) {
    return new Work(side, task, mlp, mode, threads);
  }

  /** Samples of one step or prediction. */
  int samples() {
    return task == Task.PREDICT ? 1 : mlp.batch();
  }

  Started start() {
    return task == Task.PREDICT ? prediction() : training();
  }

  private Device device() {
    return threads == 0 ? Device.cpu() : Device.cpu(threads);
  }

  private Started training() {
    Fusion fusion = task == Task.TRAIN ? Fusion.AUTO : Fusion.NEVER;
    TrainingStep training =
        side == Side.WEFT
            ? new WeftTraining(mlp, mode, device(), fusion)
            : side.start(mlp, mode, Target.CPU);
    return new Started() {
      @Override
      public void once() {
        training.step(); // on a CPU it returns when it is done
      }

      @Override
      public void close() {
        training.close();
      }
    };
  }

  private Started prediction() {
    Device device = device();
    Sequential network = WeftTraining.network(mlp).seed(TrainingStep.SEED).on(device, mode);
    float[][] row = new float[1][mlp.inputs()];
    return new Started() {
      @Override
      public void once() {
        network.scores(row);
      }

      @Override
      public void close() {
        network.close();
        device.close();
      }
    };
  }
}
