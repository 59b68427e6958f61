// SPDX-License-Identifier: Apache-2.0
import dev.weft.Device;
import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.data.ToySets;
import dev.weft.nn.Initializers;
import dev.weft.nn.Layer;
import dev.weft.nn.Layers;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.train.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** A layer of one's own, made of operations: trained, saved and loaded like Weft's. */
public class OwnLayer {

  /** y = x sigmoid(beta x) with a trained beta (width): swish (Ramachandran et al. 2017). */
  public static final class Swish implements Layer {
    private final int width;
    private final Parameter beta;

    public Swish(int width) {
      this.width = width;
      this.beta = new Parameter("beta", Shape.of(width), Initializers.ones());
    }

    @Override
    public Tensor forward(Operations operations, Tensor x) {
      Tensor gate = operations.sigmoid(operations.multiply(x, beta.tensor()));
      return operations.multiply(x, gate);
    }

    @Override
    public RowType output(RowType input) {
      return input;
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(beta);
    }

    @Override
    public Map<String, Object> settings() {
      return Map.of("width", width);
    }
  }

  public static void main(String[] args) throws Exception {
    Layers.register("swish", Swish.class, settings -> new Swish(settings.integer("width")));
    Path file = Files.createTempDirectory("weft").resolve("swish.safetensors");
    double[][] points = {{0.5, 0.25}, {-1, 2}};
    try (Device device = Device.cpu()) {
      var network = Sequential.of(new Linear(2, 16), new Swish(16), new Linear(16, 2));
      var moons = ToySets.moons(200, 0.1, 1);
      Trainer.of(network).on(device).batch(20).fit(moons, 20);
      network.save(file);
      try (var again = Sequential.load(file).on(device)) {
        System.out.println(Arrays.deepEquals(network.scores(points), again.scores(points)));
      }
    }
  }
}
