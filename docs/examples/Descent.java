// SPDX-License-Identifier: Apache-2.0
// training: weft examples run descent
import dev.weft.*;
import dev.weft.nn.*;
import dev.weft.optim.*;

/** Where optimizers get in a ravine, at a saddle and in a long valley (lectures 2 and 4). */
public class Descent {
  static final String[] SURFACES = {"ravine", "saddle", "valley"};
  static final String[] RULES = "sgd momentum nesterov adagrad rmsprop adadelta adam".split(" ");

  static Tensor value(Operations o, String surface, Tensor points) {
    Tensor x = o.slice(points, 1, 0, 1), y = o.slice(points, 1, 1, 2);
    return switch (surface) {
      case "ravine" -> o.add(o.scale(o.square(x), 0.5), o.scale(o.square(y), 10));
      case "saddle" -> o.subtract(o.square(x), o.square(y));
      default -> o.add(o.square(o.shift(x, -1)), o.scale(o.square(o.subtract(y, o.square(x))), 10));
    };
  }

  static Optimizer rule(String name, String surface) {
    Sgd sgd = Sgd.rate(surface.equals("ravine") ? 0.09 : surface.equals("saddle") ? 0.02 : 0.005);
    return switch (name) {
      case "sgd" -> sgd;
      case "momentum" -> Sgd.rate(sgd.rate() / 3).momentum(0.9);
      case "nesterov" -> Sgd.rate(sgd.rate() / 3).momentum(0.9).nesterov();
      case "adagrad" -> Adagrad.rate(0.5);
      case "rmsprop" -> RmsProp.rate(0.05);
      case "adadelta" -> Adadelta.rate(5);
      default -> Adam.rate(0.1);
    };
  }

  static double[][] path(String surface, String rule, int steps) {
    double[] start = {-1.5, surface.equals("saddle") ? 0.001 : 1.5}; // weights of a layer
    var layer = new Linear(1, 2, (w, seed, draw) -> w.copyFrom(start), Linear.Bias.WITHOUT);
    double[][] path = new double[steps][];
    try (Device device = Device.cpu();
        Network point = Sequential.of(layer).on(device, MathMode.DOUBLE);
        Stepper stepper = rule(rule, surface).stepper(point)) {
      for (int i = 0; i < steps; i++) {
        try (Tape tape = stepper.tape()) {
          path[i] = layer.weight().tensor().toDoubles();
          tape.backward(tape.sum(value(tape, surface, layer.weight().tensor())));
          stepper.step();
        }
      }
    }
    return path;
  }

  public static void main(String[] args) {
    for (String surface : SURFACES) {
      for (String rule : RULES) {
        double[] end = path(surface, rule, 121)[120];
        System.out.printf("%s %-8s %6.3f %6.3f%n", surface, rule, end[0], end[1]);
      }
    }
  }
}
