// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.device.Arguments;
import dev.weft.device.Arguments.BiasActivationBackward;
import dev.weft.device.Arguments.BiasActivationForward;
import dev.weft.device.Arguments.BiasActivationGradients;
import dev.weft.device.Arguments.BinaryBackward;
import dev.weft.device.Arguments.BinaryForward;
import dev.weft.device.Arguments.UnaryBackward;
import dev.weft.device.Arguments.UnaryForward;
import dev.weft.device.BinaryFunction;
import dev.weft.device.Kernel;
import dev.weft.device.Nonlinearity;
import dev.weft.device.ReductionFunction;
import dev.weft.device.UnaryFunction;
import dev.weft.op.Reduction;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/** The calls of every kernel by which it is tested, checked on a GPU, and timed. */
public final class KernelCases {
  /** What a call does beside its function. */
  private enum Form {
    /** As a layer calls it: nothing that it can do without, results overwrite. */
    PLAIN,
    /** All operands, results that are added to what is there, rows that are not adjacent. */
    FULL
  }

  /**
   * Sizes of a call: of most a matrix (rows, cols). A reduction is of (outer, rows, cols) over
   * rows, a gather of rows out of outer, a product (rows, outer) (outer, cols).
   */
  private record Sizes(long outer, long rows, long cols, long parts) {
    long elements() {
      return outer * rows * cols;
    }
  }

  private KernelCases() {}

  /** What is tested, which is all that is timed and more: each way through the code. */
  public static List<KernelCase> of(Kernel kernel) {
    List<KernelCase> cases = new ArrayList<>();
    Set<Arguments> seen = new HashSet<>();
    List<Sizes> tested = tested(kernel);
    for (Sizes s : tested) {
      for (Form form : Form.values()) {
        List<KernelCase> functions = of(kernel, s, form);
        for (int f = 0; f < functions.size(); f++) {
          KernelCase one = functions.get(f);
          boolean wanted = s == tested.getFirst() || isWorthItsTime(kernel, form, f);
          if (wanted && seen.add(one.call())) {
            String sizes = format("%d x %d x %d", s.outer, s.rows, s.cols);
            String parts = s.parts == 1 ? "" : format(" in %d parts", s.parts);
            String full = form == Form.FULL ? ", full" : "";
            cases.add(one.named(one.name() + ", " + sizes + parts + full));
          }
        }
      }
    }
    return cases;
  }

  /** At sizes beside the first: the emulator is slow over some, which are not in every form. */
  private static boolean isWorthItsTime(Kernel kernel, Form form, int function) {
    return switch (kernel) {
      case GEMM, SOFTMAX_CROSS_ENTROPY -> form == Form.FULL;
      case BIAS_ACTIVATION_GRADIENTS -> form == Form.values()[function % 2];
      default -> true;
    };
  }

  /** What is timed on matrices (rows, cols). */
  public static List<KernelCase> timed(long rows, long cols) {
    return Stream.of(Kernel.values())
        .flatMap(k -> timed(k, rows, cols).flatMap(sizes -> of(k, sizes, Form.PLAIN).stream()))
        .toList();
  }

  private static Stream<Sizes> timed(Kernel kernel, long rows, long cols) {
    long parts = Reduction.parts(1, rows, cols);
    return switch (kernel) {
      // products are timed among the ceilings, fused steps as steps; a step's end is next to
      // nothing
      case GEMM, FUSED_PASS, FUSED_UPDATE, ADVANCE_STEP -> Stream.of();
      case BIAS_ACTIVATION_GRADIENTS, LAYER_NORM_BACKWARD ->
          Stream.of(new Sizes(1, rows, cols, parts));
      // parts are the first stage of two
      case REDUCE ->
          Stream.of(
              new Sizes(rows, cols, 1, 1),
              new Sizes(1, rows, cols, parts),
              new Sizes(1, rows * cols, 1, Reduction.parts(1, rows * cols, 1)));
      case REDUCE_BACKWARD, MAX_BACKWARD -> Stream.of(new Sizes(rows, cols, 1, 1));
      case GATHER_ROWS, GATHER_ROWS_U8, GATHER_ROWS_BACKWARD, GATHER_LABELS ->
          Stream.of(new Sizes(rows, rows, cols, 1));
      default -> Stream.of(new Sizes(1, rows, cols, 1));
    };
  }

  private static List<Sizes> sizes(long[]... all) {
    return Stream.of(all).map(s -> new Sizes(s[0], s[1], s[2], s.length > 3 ? s[3] : 1)).toList();
  }

  private static long[] s(long... sizes) {
    return sizes;
  }

  private static List<Sizes> tested(Kernel kernel) {
    return switch (kernel) {
      // columns that packs divide and others, one part and several
      case BIAS_ACTIVATION_GRADIENTS ->
          sizes(s(1, 37, 53), s(1, 37, 64), s(1, 131, 36, 3), s(1, 70, 13, 2));
      // rows for one to eight warps of the GPU, and rows that its registers do not hold
      case SOFTMAX_CROSS_ENTROPY ->
          sizes(
              s(1, 37, 3),
              s(1, 37, 53),
              s(1, 37, 301),
              s(1, 37, 1000),
              s(1, 3, 1501),
              s(1, 3, 4001),
              s(1, 3, 12_345));
      // rows for eight lanes to eight warps of the GPU, and rows that its registers do not hold
      case LAYER_NORM_FORWARD, LAYER_NORM_BACKWARD ->
          sizes(
              s(1, 37, 3),
              s(1, 37, 53),
              s(1, 37, 300, 2),
              s(1, 37, 1000, 2),
              s(1, 3, 1501),
              s(1, 3, 4001),
              s(1, 3, 5000, 2),
              s(1, 3, 12_345));
      // columns, and rows for a warp and for a block
      case REDUCE -> sizes(s(3, 7, 11, 2), s(3, 70, 12, 2), s(37, 53, 1, 2), s(5, 9001, 1, 2));
      case REDUCE_BACKWARD -> sizes(s(3, 7, 11));
      case MAX_BACKWARD -> sizes(s(3, 7, 11), s(3, 70, 12), s(3, 7, 1), s(3, 301, 1));
      // rows of any length, and of whole accesses
      case GATHER_ROWS -> sizes(s(37, 10, 53), s(37, 10, 64));
      case GATHER_ROWS_U8 -> sizes(s(37, 10, 53), s(37, 10, 64), s(37, 10, 784));
      case GATHER_ROWS_BACKWARD -> sizes(s(5, 20, 53), s(5, 20, 64), s(5, 20, 132));
      case GATHER_LABELS -> sizes(s(37, 10, 1));
      case ARGMAX -> sizes(s(1, 37, 10), s(1, 37, 53), s(1, 37, 64), s(1, 37, 701));
      case COPY_ROWS -> sizes(s(1, 37, 30));
      case TRANSPOSE -> sizes(s(1, 37, 53), s(1, 36, 53), s(1, 37, 64), s(1, 36, 64));
      // a small product, and one whose right operand the CPU lays out anew
      case GEMM -> sizes(s(11, 5, 7), s(37, 800, 70));
      default -> sizes(s(1, 37, 53));
    };
  }

  private static <E extends Enum<E>> List<KernelCase> each(
      E[] functions, Function<E, KernelCase> make) {
    return Stream.of(functions).map(make).toList();
  }

  private static List<KernelCase> of(Kernel kernel, Sizes sizes, Form form) {
    boolean full = form == Form.FULL;
    long outer = sizes.outer;
    long rows = sizes.rows;
    long cols = sizes.cols;
    long n = sizes.elements();
    String name = kernel.name().toLowerCase(ROOT);
    return switch (kernel) {
      case BIAS_ACTIVATION_FORWARD ->
          each(
              Nonlinearity.values(),
              f ->
                  one(
                      kernel,
                      f.token() + "_forward",
                      BiasActivationForward.over(rows, cols, f, 0.1)));
      case BIAS_ACTIVATION_BACKWARD ->
          each(
              Nonlinearity.values(),
              f ->
                  one(
                          kernel,
                          f.token() + "_backward",
                          BiasActivationBackward.over(rows, cols, f, 0.1, full))
                      .with("y", Fill.POSITIVE));
      case BIAS_ACTIVATION_GRADIENTS ->
          each(
              Nonlinearity.values(),
              f -> {
                Arguments call =
                    BiasActivationGradients.over(rows, cols, sizes.parts, f, 0.1, full);
                Arguments least =
                    f.derivativeNeedsInput() ? call.without("y") : call.without("x", "b");
                return one(kernel, f.token() + "_gradients", full ? call : least)
                    .with("y", Fill.POSITIVE);
              });
      case DROPOUT -> List.of(one(kernel, name, Arguments.Dropout.over(n, 7, 0.3, full)));
      case UNARY_FORWARD ->
          each(
              UnaryFunction.values(),
              f ->
                  one(kernel, f.token() + "_forward", UnaryForward.over(n, f, 1.5))
                      .with("x", Fill.POSITIVE));
      case UNARY_BACKWARD ->
          each(
              UnaryFunction.values(),
              f ->
                  one(kernel, f.token() + "_backward", UnaryBackward.over(n, f, 1.5, full))
                      .with("x", Fill.POSITIVE)
                      .with("y", Fill.POSITIVE));
      // b is stretched over the rows
      case BINARY_FORWARD ->
          each(
              BinaryFunction.values(),
              f ->
                  positive(
                      one(
                          kernel,
                          f.token() + "_forward",
                          BinaryForward.over(
                              1, 1, rows, cols, 0, 0, cols, 1, 0, 0, full ? 0 : cols, 1, f))));
      case BINARY_BACKWARD ->
          each(
              BinaryFunction.values(),
              f -> {
                Arguments call =
                    BinaryBackward.over(
                        1, 1, rows, cols, 0, 0, cols, 1, 0, 0, full ? 0 : cols, 1, f, full, false);
                return positive(
                    one(kernel, f.token() + "_backward", full ? call : call.without("db")));
              });
      case F32_TO_BF16 -> List.of(one(kernel, "to_bf16", Arguments.Cast.over(n, full)));
      case BF16_TO_F32 -> List.of(one(kernel, "from_bf16", Arguments.Cast.over(n, full)));
      case RANDOM_UNIFORM, RANDOM_NORMAL ->
          List.of(one(kernel, name, Arguments.Random.over(n, 3, 4, 5, -1, 2)));
      case REDUCE -> {
        String of = cols > 1 ? "_of_columns" : outer > 1 ? "_of_rows" : "_of_all";
        yield each(
            ReductionFunction.values(),
            f ->
                one(
                    kernel,
                    f.token() + of,
                    Arguments.Reduce.over(outer, rows, cols, sizes.parts, f, 0.5, full)));
      }
      case REDUCE_BACKWARD ->
          Stream.of(ReductionFunction.values())
              .filter(f -> f != ReductionFunction.MAX) // max_backward's
              .map(
                  f ->
                      one(
                          kernel,
                          f.token() + "_backward",
                          Arguments.ReduceBackward.over(outer, rows, cols, f, 0.5, full)))
              .toList();
      // every third entry is the largest
      case MAX_BACKWARD ->
          List.of(
              one(kernel, name, Arguments.MaxBackward.over(outer, rows, cols, full))
                  .with("x", Fill.each(i -> i % 3 == 0 ? 2 : i % 2))
                  .with("y", Fill.each(i -> 2)));
      // values that come more than once
      case ARGMAX ->
          List.of(
              one(kernel, name, Arguments.Argmax.over(rows, cols)).with("x", Fill.scattered(97)));
      case SOFTMAX_CROSS_ENTROPY -> {
        double scale = full ? 0.5 : 1.0 / rows;
        Arguments call = Arguments.SoftmaxCrossEntropy.over(rows, cols, full ? 0.1 : 0, scale);
        yield full
            ? List.of(
                one(kernel, name, call), one(kernel, name + " in place", call.inPlace("dx", "x")))
            : List.of(one(kernel, name, call.without("hits")));
      }
      case LAYER_NORM_FORWARD ->
          List.of(one(kernel, name, Arguments.LayerNormForward.over(rows, cols, 1e-5)));
      case LAYER_NORM_BACKWARD ->
          List.of(
              one(
                  kernel,
                  name,
                  Arguments.LayerNormBackward.over(rows, cols, sizes.parts, full, full, !full)));
      case SGD -> {
        Arguments call = Arguments.Sgd.over(n, 0.9, full ? 0.1 : 0, full ? 0.01 : 0, full);
        yield List.of(one(kernel, "sgd_momentum", full ? call : call.without("copy")));
      }
      case ADAM -> {
        Arguments call = Arguments.Adam.over(n, 0.9, 0.999, 1e-8, full ? 0.01 : 0, full ? 0.02 : 0);
        yield List.of(
            one(kernel, name, full ? call : call.without("copy")).with("second", Fill.POSITIVE));
      }
      case ADVANCE_STEP -> List.of(one(kernel, name, Arguments.AdvanceStep.over(64)));
      case GATHER_ROWS ->
          gather(kernel, full, outer, Arguments.GatherRows.over(rows, cols, outer, 2, 1));
      case GATHER_ROWS_U8 ->
          gather(
              kernel, full, outer, Arguments.GatherRows.over(rows, cols, outer, 1 / 255.0, -0.5));
      case GATHER_ROWS_BACKWARD ->
          gather(
              kernel,
              full,
              outer,
              Arguments.GatherRowsBackward.over(rows, cols, outer, full ? 2 : 1e-6));
      case GATHER_LABELS -> gather(kernel, full, outer, Arguments.GatherLabels.over(rows, outer));
      case COPY_ROWS ->
          List.of(
              one(
                  kernel,
                  "copy",
                  Arguments.CopyRows.over(
                      rows,
                      cols,
                      cols + (full ? 23 : 0),
                      cols + (full ? 10 : 0),
                      full ? 3 : 1,
                      full)));
      case TRANSPOSE -> List.of(one(kernel, name, Arguments.Transpose.over(rows, cols, full)));
      case FILL -> List.of(one(kernel, name, Arguments.Fill.over(n, 2.5)));
      case GEMM -> products(kernel, full, rows, cols, outer);
      // how rows lie in their memory is for the device to choose
      case FUSED_PASS -> each(FusedCases.values(), FusedCases::pass);
      case FUSED_UPDATE -> each(FusedCases.values(), FusedCases::update);
    };
  }

  private static KernelCase one(Kernel kernel, String name, Arguments call) {
    return KernelCase.of(name, kernel, call);
  }

  private static KernelCase positive(KernelCase one) {
    return one.with("a", Fill.POSITIVE).with("b", Fill.POSITIVE);
  }

  /** Each row once; or rows that come again, are not there, and begin at the cursor. */
  private static List<KernelCase> gather(Kernel kernel, boolean full, long from, Arguments call) {
    String name = kernel.name().toLowerCase(ROOT);
    boolean state = call.operands().stream().anyMatch(o -> o.name().equals("state"));
    return List.of(
        one(kernel, name, full || !state ? call : call.without("state"))
            .with("index", full ? Fill.between(0, from + 2) : Fill.scattered(from)));
  }

  /** Both transposes of each side. */
  private static List<KernelCase> products(Kernel kernel, boolean full, long m, long n, long k) {
    List<KernelCase> cases = new ArrayList<>();
    for (boolean ta : new boolean[] {false, true}) {
      for (boolean tb : new boolean[] {false, true}) {
        for (boolean wide : new boolean[] {false, true}) {
          Arguments call =
              Arguments.Gemm.over(
                  m,
                  n,
                  k,
                  (ta ? m : k) + (full ? 2 : 0),
                  (tb ? k : n) + (full ? 3 : 0),
                  n + (full ? 1 : 0),
                  ta,
                  tb,
                  full ? 1.5 : 1,
                  full ? 0.5 : 0,
                  false,
                  wide);
          String how = (ta ? " of a'" : " of a") + (tb ? " and b'" : " and b");
          cases.add(one(kernel, "gemm" + how + (wide ? ", wide" : ""), call));
        }
      }
    }
    return cases;
  }
}
