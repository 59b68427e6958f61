// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.Parameter.Initializer;
import dev.weft.device.Nonlinearity;
import dev.weft.nn.Activation;
import dev.weft.nn.Dropout;
import dev.weft.nn.Initializers;
import dev.weft.nn.Layer;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which network. */
final class NetworkOptions {
  private static final String HIDDEN = "512";
  private static final String ACTIVATION = "relu";
  private static final double DROPOUT = 0.2;

  @Option(
      names = "--hidden",
      paramLabel = "SIZES",
      description = "Sizes of the hidden layers, or none. Default: " + HIDDEN + ".")
  private @Nullable String hidden;

  @Option(
      names = "--activation",
      paramLabel = "NAME",
      description =
          "Behind every hidden layer: identity, sigmoid, tanh, relu, leaky_relu, elu, softplus,"
              + " gelu, silu, hard_sigmoid, hard_tanh or hard_swish. Default: "
              + ACTIVATION
              + ".")
  private @Nullable String activation;

  @Option(
      names = "--dropout",
      paramLabel = "RATE",
      description = "Behind every hidden layer, in [0, 1). Default: " + DROPOUT + ".")
  private @Nullable Double dropout;

  @Option(
      names = "--layers",
      paramLabel = "LAYERS",
      description = "The whole network, such as \"linear(784,512) relu linear(512,10)\".")
  private @Nullable String layers;

  @Option(
      names = "--init",
      paramLabel = "RULE",
      description =
          "What the weights of linear layers, and of the pieces of maxout, are at first, such as"
              + " orthogonal, kaiming_normal or \"truncated_normal(0,0.02)\". Default:"
              + " xavier_uniform.")
  private @Nullable String init;

  /**
   * Looks at what needs no data.
   *
   * @throws IllegalArgumentException where the options name no network
   */
  void check() {
    if (network(1, 1).named().isEmpty()) {
      throw new IllegalArgumentException(
          format(
              "--layers \"%s\": the network has nothing to train: it has no layer with parameters,"
                  + " such as linear(784,10)",
              layers));
    }
  }

  /**
   * The network.
   *
   * @param in features of an example
   * @param out classes
   */
  Sequential network(int in, int out) {
    Initializer weights = Initializers.named(init == null ? "xavier_uniform" : init);
    if (layers != null) {
      if (hidden != null || activation != null || dropout != null) {
        throw new IllegalArgumentException(
            "--layers is the whole network: leave out --hidden, --activation and --dropout");
      }
      return Sequential.parse(layers, weights);
    }
    Nonlinearity function =
        Choice.of("activation", activation == null ? ACTIVATION : activation, Nonlinearity.class);
    Dropout drop = new Dropout(dropout == null ? DROPOUT : dropout);
    int[] sizes = sizes();
    if (sizes.length == 0 && (activation != null || dropout != null)) {
      throw new IllegalArgumentException(
          format(
              "--%s stands behind every hidden layer, and with --hidden none there is none: leave"
                  + " it out",
              activation != null ? "activation" : "dropout"));
    }
    List<Layer> stack = new ArrayList<>();
    int features = in;
    for (int size : sizes) {
      stack.add(new Linear(features, size, weights, Linear.Bias.WITH));
      stack.add(Activation.named(function.token()));
      if (drop.rate() > 0) {
        stack.add(drop);
      }
      features = size;
    }
    stack.add(new Linear(features, out, weights, Linear.Bias.WITH));
    return Sequential.of(stack.toArray(Layer[]::new));
  }

  private int[] sizes() {
    String text = hidden == null ? HIDDEN : hidden.strip();
    if (text.equals("none")) {
      return new int[0];
    }
    String[] parts = text.split(",", -1);
    int[] sizes = new int[parts.length];
    for (int i = 0; i < parts.length; i++) {
      try {
        sizes[i] = Integer.parseInt(parts[i].strip());
      } catch (NumberFormatException e) {
        sizes[i] = 0;
      }
      if (sizes[i] < 1) {
        throw new IllegalArgumentException(
            format(
                "--hidden %s: '%s' is no size of a layer; write 512 or 512,256 or none",
                text, parts[i]));
      }
    }
    return sizes;
  }
}
