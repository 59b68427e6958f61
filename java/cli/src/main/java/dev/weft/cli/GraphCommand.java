// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.check.Input;
import dev.weft.graph.Graph;
import dev.weft.io.AtomicFile;
import dev.weft.nn.Ensemble;
import dev.weft.nn.Linear;
import dev.weft.nn.Model;
import dev.weft.nn.Network;
import dev.weft.nn.Sequential;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code weft graph}. */
@Command(
    name = "graph",
    mixinStandardHelpOptions = true,
    description = {
      "Draws the computation graph of an expression or of a network.",
      "Every node has its value and its gradient; without --out they are a table. A network is"
          + " drawn as it predicts: dropout passes everything on, batch norm takes its running"
          + " values.",
      "An expression has + - * / ^, parentheses, exp, log, sqrt, square, abs, sigmoid, tanh, relu,"
          + " max(a,b) and min(a,b); one that begins with - is put in parentheses."
    },
    footer = {
      "",
      "Examples:",
      "  weft graph \"(x + y)*x*y^2\" x=1 y=2",
      "  weft graph \"sigmoid(w*x + b)\" w=2 x=-1 b=0.5 --out neuron.svg",
      "  weft graph --layers \"linear(2,3) tanh linear(3,1)\" --out network.svg",
      "  weft graph --model digits.safetensors --label 3 --out digits.dot",
      "  weft graph --activations activations.svg"
    })
final class GraphCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Parameters(
      arity = "0..*",
      paramLabel = "EXPRESSION NAME=VALUE",
      description = "What is computed, and the value of each of its variables.")
  private List<String> words = new ArrayList<>();

  @Option(
      names = "--layers",
      paramLabel = "LAYERS",
      description = "A network, such as \"linear(2,3) tanh linear(3,1)\", drawn from --seed.")
  private @Nullable String layers;

  @Option(names = "--model", paramLabel = "FILE", description = "A network that was saved.")
  private @Nullable Path model;

  @Option(
      names = "--input",
      paramLabel = "VALUES",
      description =
          "The row that a network is given, such as 0.5,-1; drawn from --seed where a linear layer"
              + " says how long it is.")
  private @Nullable String input;

  @Option(
      names = "--label",
      paramLabel = "CLASS",
      description =
          "Gradients of the softmax cross-entropy of this class; without it, of the sum of the"
              + " network's outputs.")
  private @Nullable Integer label;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "What parameters and the row are drawn from. Default: 1.")
  private @Nullable Long seed;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "A picture, .svg, or Graphviz' .dot; one that is there is replaced.")
  private @Nullable Path out;

  @Option(
      names = "--activations",
      paramLabel = "FILE",
      description = "An .svg with the curve of every activation and of its derivative.")
  private @Nullable Path activations;

  @Override
  public Integer call() throws IOException {
    check();
    if (activations != null) {
      SideFile.check(activations);
      AtomicFile.write(activations, ActivationCurves.svg());
      main.screen().out().println("wrote " + activations);
      return Main.SUCCESS;
    }
    if (out != null) {
      Graph.checkName(out);
      SideFile.check(out);
    }
    try (Device device = Device.cpu();
        Tape tape = Tape.recordedInference(device).retainGradients()) {
      show(words.isEmpty() ? network(device, tape) : expression(device, tape));
    }
    return Main.SUCCESS;
  }

  private long seed() {
    return seed == null ? 1 : seed;
  }

  /** Exactly one thing is drawn, and every option is about it. */
  private void check() {
    long what = Stream.of(layers, model, activations).filter(each -> each != null).count();
    if (what + (words.isEmpty() ? 0 : 1) != 1) {
      throw new IllegalArgumentException(
          "give one of an expression, --layers, --model and --activations");
    }
    if (layers == null && model == null && (input != null || label != null)) {
      throw new IllegalArgumentException(
          format(
              "%s is for a network: leave it out, or give --layers or --model",
              input != null ? "--input" : "--label"));
    }
    if (layers == null && model == null && seed != null) {
      throw new IllegalArgumentException("--seed draws a network's values: leave it out");
    }
    if (activations != null && out != null) {
      throw new IllegalArgumentException("--activations names its file: leave --out out");
    }
    if (activations != null && !activations.toString().endsWith(".svg")) {
      throw new IllegalArgumentException(
          format("--activations writes an .svg, and %s does not end so", activations));
    }
  }

  private void show(Graph graph) throws IOException {
    if (out == null) {
      main.screen().out().println(graph);
    } else {
      graph.write(out);
      main.screen().out().println(format("wrote %s: %d nodes", out, graph.vertices().size()));
    }
  }

  private Graph expression(Device device, Tape tape) {
    String expression = words.getFirst();
    Map<String, Tensor> variables = new LinkedHashMap<>();
    for (String word : words.subList(1, words.size())) {
      int equals = word.indexOf('=');
      String name = equals < 0 ? word : word.substring(0, equals).strip();
      if (equals < 1 || !name.matches(Expression.NAME.pattern())) {
        throw new IllegalArgumentException(
            format("'%s' is no value of a variable, such as x=1; quote the expression", word));
      }
      Tensor value = device.tensor(DType.F64, Shape.of(), number(word, word.substring(equals + 1)));
      if (variables.put(name, value.named(name).requiresGrad()) != null) {
        throw new IllegalArgumentException(format("%s has two values: give one", name));
      }
    }
    Tensor y = Expression.compute(expression, tape, variables);
    if (tape.nodes().isEmpty()) {
      throw new IllegalArgumentException(
          format("%s applies no operation to a variable: there is no graph to draw", expression));
    }
    tape.backward(y);
    return tape.draw(y);
  }

  private static double number(String word, String text) {
    double value;
    try {
      value = Double.parseDouble(text.strip());
    } catch (NumberFormatException e) {
      value = Double.NaN;
    }
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException(
          format("'%s' in '%s' is not a finite number", text.strip(), word));
    }
    return value;
  }

  private Network network() throws IOException {
    if (layers == null) {
      return Network.load(Objects.requireNonNull(model));
    }
    // between layers a space as elsewhere, or a comma
    return Sequential.parse(layers.replaceAll(",\\s*(?![^()]*\\))", " ")).seed(seed());
  }

  private Graph network(Device device, Tape tape) throws IOException {
    Network network = network();
    double[] row = row(network);
    boolean ids = takesIds(network, row);
    try (Network on = network.on(device, MathMode.DOUBLE)) {
      Shape shape = Shape.of(1, row.length);
      Tensor x = device.tensor(ids ? DType.I32 : DType.F64, shape, row).named("x");
      on.named().forEach((name, parameter) -> parameter.tensor().named(name));
      Tensor y = on.forward(tape, x);
      Tensor scalar = scalar(device, tape, y);
      if (!scalar.hasGradient()) {
        throw new IllegalArgumentException(
            format("%s has no parameters: there is no gradient to draw", network.spec()));
      }
      tape.backward(scalar);
      return tape.draw(scalar);
    }
  }

  private Tensor scalar(Device device, Tape tape, Tensor y) {
    if (label == null) {
      return y.elements() == 1 ? y : tape.sum(y);
    }
    long classes = y.shape().size(-1);
    if (y.shape().rank() != 2 || label < 0 || label >= classes) {
      throw new IllegalArgumentException(
          format("--label %d is none of the network's %d classes", label, classes));
    }
    return tape.softmaxCrossEntropy(y, device.tensor(new int[] {label}).named("label"));
  }

  private double[] row(Network network) {
    if (input != null) {
      return Arrays.stream(input.split(",", -1)).mapToDouble(each -> number(input, each)).toArray();
    }
    Linear linear = first(network.model());
    if (linear != null) {
      return Input.randomNormal(linear.in()).values(seed());
    }
    throw new IllegalArgumentException(
        format("how long a row of %s is, is not known: give --input 0.5,-1", network.spec()));
  }

  /** The linear layer that a row comes to first, as in all members of an ensemble; else null. */
  private static @Nullable Linear first(Model model) {
    Model first =
        model instanceof Sequential sequential
            ? sequential.models().getFirst()
            : model instanceof Ensemble ensemble ? ensemble.members().getFirst() : model;
    return first == model ? (model instanceof Linear linear ? linear : null) : first(first);
  }

  /** Whether the network looks rows up by these numbers; one that takes neither says why. */
  private static boolean takesIds(Network network, double[] row) {
    Shape shape = Shape.of(row.length);
    try {
      network.output(Inputs.of(RowType.floating(shape)));
      return false;
    } catch (IllegalArgumentException e) {
      boolean ids = Arrays.stream(row).allMatch(id -> id >= 0 && id == (int) id);
      if (!ids) {
        throw e;
      }
      int below = 1 + (int) Arrays.stream(row).max().orElse(0);
      try {
        network.output(Inputs.of(RowType.ids(shape, below)));
      } catch (IllegalArgumentException neither) {
        e.addSuppressed(neither);
        throw e;
      }
      return true;
    }
  }
}
