// SPDX-License-Identifier: Apache-2.0
// your own parts: weft examples run own-layer FILE
import dev.weft.Device;
import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.data.ToySets;
import dev.weft.nn.Layer;
import dev.weft.nn.Layers;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A layer of one's own, made of operations: trained, saved and loaded like Weft's. */
public class OwnLayer {
  /** y = x sigmoid(beta x) with a trained beta (width): swish (Ramachandran et al. 2017). */
  record Swish(Parameter beta) implements Layer {
    Swish(int width) {
      this(new Parameter("beta", Shape.of(width), (t, seed, draw) -> t.fill(1)));
    }

    @Override
    public Tensor forward(Operations o, Tensor x) {
      return o.multiply(x, o.sigmoid(o.multiply(x, beta.tensor())));
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
      return Map.of("width", beta.shape().size(0));
    }
  }

  public static void main(String[] args) throws Exception {
    Layers.register("swish", Swish.class, settings -> new Swish(settings.integer("width")));
    float[][] point = {{0.5f, 0.25f}};
    try (Device device = Device.cpu()) {
      var network = Sequential.of(new Linear(2, 16), new Swish(16), new Linear(16, 2));
      Trainer.of(network).on(device).batch(20).fit(ToySets.moons(200, 0.1, 1), 20);
      network.save(Path.of(args[0]));
      try (var again = Sequential.load(Path.of(args[0])).on(device)) {
        System.out.println(network.scores(point)[0][1] == again.scores(point)[0][1]);
      }
    }
  }
}
