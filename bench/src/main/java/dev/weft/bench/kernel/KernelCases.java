// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import static java.util.Locale.ROOT;

import dev.weft.device.Arguments;
import dev.weft.device.BinaryFunction;
import dev.weft.device.Kernel;
import dev.weft.device.Nonlinearity;
import dev.weft.device.Operand;
import dev.weft.device.ReductionFunction;
import dev.weft.op.LayerNormOperation;
import dev.weft.op.Reduction;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * The calls of every kernel by which it is tested, checked on a GPU, and timed: each of its
 * functions, with numbers that follow from their names in the contract. Those that are not full are
 * as a layer calls it: nothing that it can do without, results overwrite. Full ones have all
 * operands, results that are added to what is there, rows that are not adjacent.
 *
 * <p>This class is long because every kernel has its sizes and fills here, and nowhere else.
 */
public final class KernelCases {
  /** Of functions those that the harness times; each other one costs what one of these does. */
  private static final Pattern TIMED =
      Pattern.compile(
          "(relu|tanh|gelu|silu|exp|log|pow|square)_.*|(add|divide)_forward|(multiply|divide)_backward"
              + "|max_of_rows|sum_of_(rows|columns|all|squares_of_all)|sum_backward.*"
              + "|value_loss_squared");

  /** And with all outputs, none of which is added to. */
  private static final Map<String, ?> ALL_OUTPUTS =
      Map.of("hits", 1, "db", 1, "accumulateB", false, "accumulateShift", false);

  private KernelCases() {}

  /** What is tested, which is all that is timed and more: each way through the code. */
  public static List<KernelCase> of(Kernel kernel) {
    if (kernel.kind() == Kernel.Kind.HOST) {
      return List.of(); // its threads may overwrite each other: it has tests of its own
    }
    Map<Arguments, KernelCase> cases = new LinkedHashMap<>();
    List<Sizes> tested = tested(kernel);
    for (Sizes s : tested) {
      for (boolean full : new boolean[] {false, true}) {
        List<KernelCase> functions = of(kernel, s, full).toList();
        for (int f = 0; f < functions.size(); f++) {
          if (s == tested.getFirst() || isWorthItsTime(kernel, full, f)) {
            KernelCase one = functions.get(f);
            String name = one.name() + ", " + s + (full ? ", full" : "");
            cases.putIfAbsent(one.call(), one.named(name));
          }
        }
      }
    }
    return List.copyOf(cases.values());
  }

  /** At sizes beside the first: the emulator is slow over some, which are not in every form. */
  private static boolean isWorthItsTime(Kernel kernel, boolean full, int function) {
    return switch (kernel) {
      case GEMM, SOFTMAX_CROSS_ENTROPY, SOFTMAX_CROSS_ENTROPY_DISTRIBUTION -> full;
      case BIAS_ACTIVATION_GRADIENTS -> full == (function % 2 == 1);
      default -> true;
    };
  }

  /** What the bench times on matrices (rows, cols). */
  public static List<KernelCase> timed(long rows, long cols) {
    return Stream.of(Kernel.values())
        .filter(kernel -> kernel != Kernel.ADVANCE_STEP) // next to nothing
        .filter(kernel -> kernel.kind() != Kernel.Kind.HOST)
        .flatMap(k -> timed(k, rows, cols).flatMap(sizes -> of(k, sizes, false)))
        .toList();
  }

  /** Whether the harness times a kernel in the cases by which it is tested: whole steps. */
  public static boolean isTimedAsTested(Kernel kernel) {
    return kernel == Kernel.FUSED_PASS || kernel == Kernel.FUSED_UPDATE;
  }

  /** What the harness times on operands of so many elements; its rows are named by the kernel. */
  public static Stream<KernelCase> timed(Kernel kernel, long elements) {
    LongStream widths =
        switch (kernel) {
          case SOFTMAX_CROSS_ENTROPY -> LongStream.of(10, 1000, 2048, 32_000);
          case SOFTMAX_CROSS_ENTROPY_DISTRIBUTION,
              MULTI_CLASS_HINGE,
              TOP_HITS,
              ARGMAX,
              TOP_K,
              SOFTMAX_FORWARD,
              SOFTMAX_BACKWARD ->
              LongStream.of(10, 1000);
          case GATHER_ROWS_U8 -> LongStream.of(784);
          // small ones alone: the host is slow to order many rows, and a step's end has one size
          case GATHER_IDS, ADVANCE_STEP -> LongStream.of(1).filter(c -> elements <= 1 << 16);
          // what these do depends on the ids: the bench times them on some like those of a text
          case SORT_CHUNKS,
              MERGE_CHUNKS,
              SUM_RUNS,
              ADD_ROWS,
              RUN_SQUARES,
              SGD_ROWS,
              ADAM_ROWS,
              NADAM_ROWS,
              ADAGRAD_ROWS,
              RMSPROP_ROWS,
              ADADELTA_ROWS,
              LION_ROWS,
              EMBEDDING_BAG_FORWARD,
              EMBEDDING_BAG_BACKWARD,
              PATH_LOSS_FORWARD,
              PATH_LOSS_BACKWARD,
              GATHER_ALONG,
              SCATTER_ADD_ALONG,
              NEGATIVE_SAMPLES ->
              LongStream.of();
          default -> LongStream.of(1024);
        };
    return widths
        .boxed()
        .flatMap(cols -> timed(kernel, Math.max(1, elements / cols), cols))
        .flatMap(s -> functions(kernel).flatMap(f -> ways(kernel, s, f)));
  }

  private static Stream<Sizes> timed(Kernel kernel, long rows, long cols) {
    long parts = Reduction.parts(1, rows, cols);
    return switch (kernel) {
      // products are timed among the ceilings, fused steps as steps, or as they are tested
      case GEMM, FUSED_PASS, FUSED_UPDATE -> Stream.of();
      case BIAS_ACTIVATION_GRADIENTS -> Stream.of(s(1, rows, cols, parts));
      case LAYER_NORM_BACKWARD -> Stream.of(s(1, rows, cols, LayerNormOperation.parts(rows, cols)));
      case BATCH_NORM_STATISTICS, BATCH_NORM_SUMS -> Stream.of(s(1, rows, cols, parts));
      case BATCH_NORM_FINISH -> Stream.of(s(1, rows, cols, 12));
      case SOFTMAX_FORWARD, SOFTMAX_BACKWARD -> Stream.of(s(rows, cols, 1), s(1, rows, cols));
      // parts are the first stage of two
      case REDUCE ->
          Stream.of(
              s(rows, cols, 1),
              s(1, rows, cols, parts),
              s(1, rows * cols, 1, Reduction.parts(1, rows * cols, 1)));
      case REDUCE_BACKWARD, MAX_BACKWARD, CUMULATIVE_SUM ->
          Stream.of(s(rows, cols, 1), s(1, rows, cols));
      case GATHER_ALONG, SCATTER_ADD_ALONG -> Stream.of(s(1, rows, cols, rows));
      case STRIDED_COPY -> Stream.of(s(Math.max(1, rows / 64), Math.min(64, rows), cols));
      case GATHER_ROWS, GATHER_ROWS_U8, SUM_RUNS, ADD_ROWS, RUN_SQUARES ->
          Stream.of(s(rows, rows, cols));
      case SGD_ROWS, ADAM_ROWS, NADAM_ROWS, ADAGRAD_ROWS, RMSPROP_ROWS, ADADELTA_ROWS, LION_ROWS ->
          Stream.of(s(rows, rows, cols));
      case GATHER_IDS -> Stream.of(s(rows, rows, 1));
      case EMBEDDING_BAG_FORWARD, EMBEDDING_BAG_BACKWARD ->
          Stream.of(s(rows, rows, cols, Math.max(1, rows / 4)));
      case SORT_CHUNKS, MERGE_CHUNKS -> Stream.of(s(1, rows, 1, rows));
      case PATH_LOSS_FORWARD, PATH_LOSS_BACKWARD -> Stream.of(s(rows, Math.max(1, rows / 8), cols));
      case NEGATIVE_SAMPLES -> Stream.of(s(rows, rows, 1));
      default -> Stream.of(s(1, rows, cols));
    };
  }

  /** A function in each way that the harness times. */
  private static Stream<KernelCase> ways(Kernel kernel, Sizes s, Enum<?> f) {
    if (kernel == Kernel.STRIDED_COPY) {
      return copies(s, false);
    }
    if (f != kernel && !TIMED.matcher(name(kernel, s, f)).matches()) {
      return Stream.of();
    }
    BiFunction<String, Map<String, ?>, KernelCase> way =
        (name, given) -> one(kernel, s, false, f, given).named(name);
    Stream<KernelCase> others =
        switch (kernel) {
          case BINARY_FORWARD ->
              f != BinaryFunction.ADD
                  ? Stream.of()
                  : Stream.of(
                      way.apply("add a row", Map.of("b2", 0)),
                      way.apply("add a column", Map.of("b2", 1, "b3", 0)));
          case COPY_ROWS ->
              Stream.of(way.apply("scaled, +=", Map.of("scale", 0.0625, "accumulate", true)));
          case SOFTMAX_FORWARD, SOFTMAX_BACKWARD ->
              Stream.of(way.apply("log of " + s.rows() + " classes", Map.of("log", true)))
                  .filter(one -> s.cols() == 1);
          case SGD -> Stream.of(way.apply("", Map.of("momentum", 0, "first", 0)));
          case ADAM -> Stream.of(way.apply("with a copy in bf16", Map.of("copy", 1)));
          default -> Stream.of();
        };
    return Stream.concat(Stream.of(way.apply(variant(kernel, s, f), ALL_OUTPUTS)), others);
  }

  /** What a call of its kernel does, in the harness. */
  private static String variant(Kernel kernel, Sizes s, Enum<?> function) {
    String name = function.name().toLowerCase(ROOT).replace("sum_of_squares", "squares");
    return switch (kernel) {
      case SOFTMAX_CROSS_ENTROPY, SOFTMAX_CROSS_ENTROPY_DISTRIBUTION, MULTI_CLASS_HINGE, TOP_HITS ->
          s.cols() + " classes";
      case ARGMAX, TOP_K, GATHER_ROWS_U8 -> s.cols() + " columns";
      case CUMULATIVE_SUM -> "of " + s.axis();
      case SOFTMAX_FORWARD, SOFTMAX_BACKWARD ->
          s.cols() == 1 ? s.rows() + " classes" : "of columns";
      case REDUCE, REDUCE_BACKWARD -> name + " of " + s.axis();
      case MAX_BACKWARD -> "of " + s.axis();
      case SGD -> "momentum";
      default -> function == kernel ? "" : name;
    };
  }

  private static Sizes s(long outer, long rows, long cols, long... parts) {
    return new Sizes(outer, rows, cols, parts.length == 0 ? 1 : parts[0]);
  }

  private static List<Sizes> matrices(long rows, long... cols) {
    return LongStream.of(cols).mapToObj(c -> s(1, rows, c)).toList();
  }

  private static List<Sizes> tested(Kernel kernel) {
    return switch (kernel) {
      // columns that packs divide and others, and that threads share out; one part and several
      case BIAS_ACTIVATION_GRADIENTS ->
          List.of(s(1, 23, 47), s(1, 2, 300), s(1, 37, 36, 3), s(1, 37, 13, 2));
      // rows for one to eight warps of the GPU, more than a block takes at once, and rows that its
      // registers do not hold; of wide ones no more than that, since all results travel to a GPU
      case SOFTMAX_CROSS_ENTROPY ->
          Stream.of(
                  matrices(37, 3, 53),
                  List.of(s(1, 11, 301), s(1, 5, 1000)),
                  matrices(2, 1501),
                  matrices(1, 4001, 12_345))
              .flatMap(List::stream)
              .toList();
      // rows for eight lanes, a warp and a block of the GPU, and rows that its registers do not
      // hold
      case SOFTMAX_CROSS_ENTROPY_DISTRIBUTION, MULTI_CLASS_HINGE ->
          List.of(
              s(1, 37, 3), s(1, 19, 53), s(1, 5, 300), s(1, 2, 1000), s(1, 1, 1501), s(1, 1, 4101));
      // several sums, the last of few elements; rows of one
      case VALUE_LOSS -> List.of(s(1, 23, 47), s(1, 1030, 1));
      // rows for eight lanes to eight warps of the GPU, and rows that its registers do not hold,
      // likewise; a part without rows
      case LAYER_NORM_FORWARD, LAYER_NORM_BACKWARD ->
          Stream.of(
                  matrices(37, 3, 20),
                  matrices(11, 53, 64),
                  List.of(s(1, 7, 300, 2), s(1, 5, 300, 4), s(1, 3, 1000, 2), s(1, 2, 4100, 2)),
                  matrices(1, 1501, 4001, 4101))
              .flatMap(List::stream)
              .toList();
      // columns of which a tile has a part, or all; parts of a group of rows and more, and of none
      case BATCH_NORM_STATISTICS, BATCH_NORM_SUMS, BATCH_NORM_FINISH ->
          List.of(s(1, 37, 53, 2), s(1, 131, 64, 3), s(1, 300, 5), s(1, 5, 300, 4));
      case BATCH_NORM_FORWARD, BATCH_NORM_BACKWARD ->
          List.of(s(1, 37, 53), s(1, 67, 64), s(1, 300, 5));
      // rows for eight lanes to eight warps of the GPU, rows that its registers do not hold, and
      // columns, of which the CPU takes the last in parts
      case SOFTMAX_FORWARD, SOFTMAX_BACKWARD ->
          List.of(
              s(37, 3, 1),
              s(37, 20, 1),
              s(11, 53, 1),
              s(5, 300, 1),
              s(3, 1000, 1),
              s(1, 4001, 1),
              s(1, 4101, 1),
              s(3, 7, 11),
              s(2, 70, 33),
              s(1, 257, 65));
      // columns, and rows for a warp and for a block
      case REDUCE -> List.of(s(3, 7, 11, 2), s(3, 70, 12, 2), s(37, 53, 1, 2), s(2, 9001, 1, 2));
      case REDUCE_BACKWARD -> List.of(s(3, 7, 11));
      case MAX_BACKWARD -> List.of(s(3, 7, 11), s(3, 70, 12), s(3, 7, 1), s(3, 301, 1));
      // rows of any length, and of whole accesses
      case GATHER_ROWS -> List.of(s(37, 10, 53), s(37, 10, 64));
      case GATHER_ROWS_U8 -> List.of(s(37, 10, 53), s(37, 10, 64), s(37, 10, 784));
      case GATHER_IDS -> List.of(s(37, 10, 1), s(37, 10, 53));
      // all the same and all different, in the plain form; of more it is a device's own
      case SORT_CHUNKS ->
          List.of(s(1, 1, 1), s(1, 31, 1, 31), s(1, 33, 1, 5), s(1, 1023, 1, 1023), s(1, 1024, 1));
      // one chunk and several
      case MERGE_CHUNKS ->
          List.of(s(1, 33, 1, 5), s(1, 1025, 1, 1025), s(1, 3000, 1, 100), s(1, 3000, 1));
      // runs within a tile, over several, and over all; rows of any length, and of whole accesses
      case SUM_RUNS, ADD_ROWS, RUN_SQUARES, SGD_ROWS, ADAM_ROWS ->
          List.of(s(2, 1, 3), s(31, 31, 64), s(9, 33, 53), s(300, 1025, 4), s(1, 300, 7));
      case EMBEDDING_BAG_FORWARD, EMBEDDING_BAG_BACKWARD ->
          List.of(s(37, 20, 53, 7), s(37, 70, 64, 9), s(5, 3, 2, 5), s(37, 66, 20, 11));
      // rows of any length, of whole accesses, and longer than a warp of the GPU takes at once
      case PATH_LOSS_FORWARD, PATH_LOSS_BACKWARD ->
          List.of(s(20, 13, 53, 11), s(9, 26, 64, 9), s(3, 2, 300, 5), s(1, 5, 1, 2));
      case NEGATIVE_SAMPLES -> List.of(s(37, 53, 1), s(1, 7, 1), s(600, 300, 1));
      case TOP_HITS, ARGMAX, TOP_K -> matrices(37, 10, 53, 64, 701);
      // columns, short rows, and rows of one turn and of several
      case CUMULATIVE_SUM ->
          List.of(s(3, 7, 11), s(3, 70, 12), s(21, 20, 1), s(19, 53, 1), s(2, 2500, 1));
      case GATHER_ALONG, SCATTER_ADD_ALONG -> List.of(s(3, 11, 13, 7), s(37, 20, 1, 53));
      // whole accesses, and others
      case STRIDED_COPY -> List.of(s(3, 7, 11), s(2, 37, 36));
      // norms of one partial sum, and of more than a lane of the GPU takes at once
      case SGD, ADAM -> List.of(s(1, 37, 53), s(1, 5, 53, 1025));
      case NADAM_ROWS, ADAGRAD_ROWS, RMSPROP_ROWS, ADADELTA_ROWS, LION_ROWS ->
          List.of(s(9, 33, 20));
      case COPY_ROWS -> List.of(s(1, 37, 30));
      case TRANSPOSE -> List.of(s(1, 37, 53), s(1, 36, 53), s(1, 37, 64), s(1, 36, 64));
      // a small product, and one whose right operand the CPU lays out anew
      case GEMM -> List.of(s(11, 5, 7), s(37, 800, 70));
      default -> List.of(s(1, 23, 47));
    };
  }

  private static Stream<KernelCase> of(Kernel kernel, Sizes s, boolean full) {
    return switch (kernel) {
      case GEMM ->
          IntStream.range(0, 12).mapToObj(how -> product(s, full, how % 8, how < 8 ? 1 : 3));
      case STRIDED_COPY -> copies(s, full);
      // how rows lie in their memory is for the device to choose
      case FUSED_PASS -> Stream.of(FusedCases.values()).map(step -> step.pass);
      case FUSED_UPDATE -> Stream.of(FusedCases.values()).map(step -> step.update);
      default -> {
        Stream<KernelCase> cases = functions(kernel).map(f -> one(kernel, s, full, f, Map.of()));
        yield full && isOfRows(kernel)
            ? cases.flatMap(one -> Stream.of(one, one.inPlace("dx", "x")))
            : cases;
      }
    };
  }

  /** Whether it is a loss of rows, whose gradient may take the place of what it is of. */
  private static boolean isOfRows(Kernel kernel) {
    return kernel == Kernel.SOFTMAX_CROSS_ENTROPY
        || kernel == Kernel.SOFTMAX_CROSS_ENTROPY_DISTRIBUTION
        || kernel == Kernel.MULTI_CLASS_HINGE;
  }

  /** What a kernel can do, which its case is named by; the kernel where that is one thing. */
  static Stream<Enum<?>> functions(Kernel kernel) {
    List<Enum<?>> functions =
        Stream.of(kernel.arguments().getRecordComponents())
            .filter(number -> number.getType().isEnum())
            .<Enum<?>>flatMap(number -> Stream.of((Enum<?>[]) number.getType().getEnumConstants()))
            .filter(f -> kernel != Kernel.REDUCE_BACKWARD || f != ReductionFunction.MAX)
            .toList();
    return functions.isEmpty() ? Stream.of(kernel) : functions.stream();
  }

  /** Beside the other cases of the tests and of the bench. */
  private static String name(Kernel kernel, Sizes s, Enum<?> function) {
    String name = kernel.name().toLowerCase(ROOT);
    String own = function == kernel ? name : function.name().toLowerCase(ROOT);
    return switch (kernel) {
      case F32_TO_BF16 -> "to_bf16";
      case BF16_TO_F32 -> "from_bf16";
      case SGD -> "sgd_momentum";
      case COPY_ROWS -> KernelSize.COPY;
      case VALUE_LOSS -> name + "_" + function.name().toLowerCase(ROOT);
      case EMBEDDING_BAG_FORWARD, EMBEDDING_BAG_BACKWARD ->
          name.replace("bag", "bag_" + function.name().toLowerCase(ROOT));
      case SOFTMAX_FORWARD, SOFTMAX_BACKWARD -> name + (s.cols() > 1 ? "_of_columns" : "");
      case REDUCE -> own + "_of_" + s.axis();
      case REDUCE_BACKWARD -> own + "_backward" + (s.cols() > 1 ? "_of_columns" : "");
      case MAX_BACKWARD, CUMULATIVE_SUM -> own + (s.cols() > 1 ? "_of_columns" : "");
      default -> function == kernel ? name : own + name.substring(name.lastIndexOf('_'));
    };
  }

  /**
   * With numbers that are given, and others that follow from their names. Of operands that a call
   * can do without it has those for which 1 is given, and not those of 0.
   */
  static KernelCase one(Kernel kernel, Sizes s, boolean full, Enum<?> f, Map<String, ?> given) {
    RecordComponent[] fields = kernel.arguments().getRecordComponents();
    Method over =
        Stream.of(kernel.arguments().getMethods())
            .filter(method -> method.getName().equals("over"))
            .findFirst()
            .orElseThrow();
    Object[] numbers =
        Stream.of(fields)
            .skip(fields.length - over.getParameterCount()) // pointers stand before numbers
            .map(
                number ->
                    given.containsKey(number.getName())
                        ? given.get(number.getName())
                        : number(number, kernel, s, full, f))
            .toArray();
    try {
      Arguments call = (Arguments) over.invoke(null, numbers);
      Set<String> spared = new HashSet<>(full ? Set.of() : spared(kernel, s, f));
      spared.addAll(absent(kernel, full));
      String[] without =
          call.operands().stream()
              .map(Operand::name)
              .filter(o -> given.containsKey(o) ? given.get(o).equals(0) : spared.contains(o))
              .toArray(String[]::new);
      return filled(new KernelCase(name(kernel, s, f), kernel, s, call.without(without)), full);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(kernel + " has no call over such numbers", e);
    }
  }

  private static Object number(
      RecordComponent number, Kernel kernel, Sizes s, boolean full, Enum<?> function) {
    String name = number.getName();
    if (number.getType().isEnum()) {
      return function;
    } else if (number.getType() == boolean.class) {
      // of two outputs one is added to
      return full != (name.equals("accumulateB") || name.equals("accumulateShift"));
    }
    return switch (name) {
      case "n" -> s.elements();
      case "outer", "sourceRows", "tableRows" -> s.outer();
      case "rows", "count", "d2" -> s.rows();
      case "cols", "inner", "classes", "d3", "a2" -> s.cols();
      case "parts", "bags", "taken" -> s.parts();
      case "d0", "d1", "a3", "b3" -> 1;
      case "a0", "a1", "b0", "b1" -> 0;
      case "b2" -> full ? 0 : s.cols(); // b is stretched over the rows
      case "xStride" -> s.cols() + (full ? 23 : 0);
      case "stride" -> full ? 1 : s.cols(); // windows, which overlap
      case "yStride" -> s.cols() + (full ? 10 : 0);
      case "seed" -> 3;
      case "step" -> 4;
      case "operation" -> 5;
      case "alpha" -> 0.7;
      case "rate" -> 0.3;
      case "rateFactor" -> full ? 0.5 : 1;
      case "a" -> -1;
      case "b" -> 2;
      case "value", "on" -> 2.5;
      case "off" -> 0.5;
      case "missing" -> full ? 0 : Double.NaN;
      case "shift" -> -0.5;
      case "momentum" -> 0.9;
      // of SGD that is dampening; of others the decay of the second memory
      case "decay" -> rule(kernel) == Kernel.SGD ? (full ? 0.1 : 0) : 0.999;
      case "epsilon" -> 1e-5;
      case "fade" -> full ? 0.02 : 0;
      case "operations" -> 13;
      case "start" -> full ? 9 : 0; // at 4 updates the value, or the weight
      case "weight" -> 0.25;
      case "smoothing" -> full ? 0.1 : 0;
      case "l1" -> full ? 0.05 : 0;
      case "l2" -> full ? 0.01 : 0;
      case "weightDecay" -> full ? 0.02 : 0;
      case "words" -> s.outer();
      case "negatives" -> full ? 6 : 5;
      case "longest" -> 7;
      // full: every other path has two times three steps, the others none
      case "pathCount" -> full ? s.parts() : s.rows();
      case "stepCount" -> full ? 3 * s.parts() : 7 * s.rows();
      case "k" -> 3;
      case "margin" -> 0.6;
      case "ignored" -> 2;
      case "distributions" -> s.rows();
      case "rateCount" -> 5;
      case "gradientScale" -> full ? 0.5 : 1;
      case "maxNorm" -> 1;
      // some are beyond these, and some are not
      case "gradientLimit" -> full ? 0.5 / Math.sqrt(s.parts()) : Double.POSITIVE_INFINITY;
      case "updateLimit" -> full ? 0.01 : Double.POSITIVE_INFINITY;
      case "scale" ->
          switch (kernel) {
            case SOFTMAX_CROSS_ENTROPY, SOFTMAX_CROSS_ENTROPY_DISTRIBUTION, MULTI_CLASS_HINGE ->
                full ? 0.5 : 1.0 / s.rows();
            case GATHER_ROWS_U8 -> 1 / 255.0;
            case SUM_RUNS -> full ? 2 : 1;
            case COPY_ROWS -> full ? 3 : 1;
            default -> 0.5;
          };
      default -> throw new IllegalArgumentException(kernel + ": no case knows a number " + name);
    };
  }

  /** The operands that a layer's call does without. */
  private static Set<String> spared(Kernel kernel, Sizes s, Enum<?> function) {
    return switch (kernel) {
      case BIAS_ACTIVATION_BACKWARD, BIAS_ACTIVATION_GRADIENTS ->
          ((Nonlinearity) function).derivativeNeedsInput() ? Set.of("y") : Set.of("x", "b");
      case BINARY_BACKWARD -> Set.of("db");
      case VALUE_LOSS -> Set.of("weights", "positive", "losses");
      case LABEL_WEIGHTS -> Set.of("row_weights");
      case SOFTMAX_CROSS_ENTROPY, SOFTMAX_CROSS_ENTROPY_DISTRIBUTION, MULTI_CLASS_HINGE ->
          Set.of("weights", "hits");
      case BATCH_NORM_FINISH -> Set.of("running_mean", "running_variance");
      case ADVANCE_STEP -> Set.of("rates");
      case GATHER_ROWS, GATHER_ROWS_U8, GATHER_IDS -> Set.of("state");
      // bags may be equally long
      case EMBEDDING_BAG_FORWARD, EMBEDDING_BAG_BACKWARD ->
          s.rows() % s.parts() == 0 ? Set.of("offsets") : Set.of();
      case PATH_LOSS_FORWARD -> Set.of("offsets", "paths");
      default ->
          kernel.arguments() == Arguments.Update.class
                  || kernel.arguments() == Arguments.UpdateRows.class
              ? Set.of("copy", "squares")
              : Set.of();
    };
  }

  /** The rule of dense parameters that is a table's, too. */
  private static Kernel rule(Kernel kernel) {
    return kernel.arguments() == Arguments.UpdateRows.class
        ? Kernel.valueOf(kernel.name().replace("_ROWS", ""))
        : kernel;
  }

  /** The memories that a rule never has, or those that it can do without. */
  private static Set<String> absent(Kernel kernel, boolean full) {
    return switch (rule(kernel)) {
      case SGD, LION -> Set.of("second", "third");
      case NADAM, ADADELTA -> Set.of("third");
      case ADAGRAD -> Set.of("first", "third");
      case ADAM -> full ? Set.of() : Set.of("third");
      case RMSPROP -> full ? Set.of() : Set.of("first", "third");
      default -> Set.of();
    };
  }

  private static KernelCase filled(KernelCase one, boolean full) {
    long outer = one.sizes().outer();
    long parts = one.sizes().parts();
    return switch (one.kernel()) {
      case BIAS_ACTIVATION_BACKWARD, BIAS_ACTIVATION_GRADIENTS -> one.with("y", Fill.POSITIVE);
      case UNARY_FORWARD -> one.with("x", Fill.POSITIVE);
      case UNARY_BACKWARD -> one.with("x", Fill.POSITIVE).with("y", Fill.POSITIVE);
      // some are equal, and some are 0, where that is what counts
      case BINARY_FORWARD, BINARY_BACKWARD ->
          one.name().matches("(equal|keep|drop)_.*")
              ? one.with("a", Fill.each(i -> i % 4)).with("b", Fill.each(i -> i % 3))
              : one.with("a", Fill.POSITIVE).with("b", Fill.POSITIVE);
      // targets from 0 to 1, or -1 and 1
      case VALUE_LOSS ->
          switch (((Arguments.ValueLoss) one.call()).function()) {
            case LOGISTIC -> one.with("t", Fill.between(0, 1));
            case HINGE, SQUARED_HINGE -> one.with("t", Fill.each(i -> i * 7 % 3 == 0 ? 1 : -1));
            default -> one;
          };
      // some that are ignored; or also some of no class
      case LABEL_WEIGHTS -> {
        long classes = one.sizes().cols();
        yield one.with("labels", full ? Fill.between(-2, classes + 2) : Fill.scattered(classes));
      }
      case SOFTMAX_CROSS_ENTROPY_DISTRIBUTION ->
          one.with("q", Fill.each(i -> i * 7919 % 4 / 8.0)); // some are 0
      // every third entry is the largest
      case MAX_BACKWARD ->
          one.with("x", Fill.each(i -> i % 3 == 0 ? 2 : i % 2)).with("y", Fill.each(i -> 2));
      // values that come more than once
      case TOP_HITS, ARGMAX, TOP_K -> one.with("x", Fill.scattered(97));
      case ONE_HOT ->
          one.with(
              "ids",
              full ? Fill.between(-1, one.sizes().cols() + 1) : Fill.scattered(one.sizes().cols()));
      case GATHER_ALONG, SCATTER_ADD_ALONG ->
          one.with(
              "index",
              full ? Fill.between(-1, one.sizes().rows() + 1) : Fill.scattered(one.sizes().rows()));
      case BATCH_NORM_FINISH -> one.with("squares", Fill.POSITIVE);
      case BATCH_NORM_FORWARD, BATCH_NORM_SUMS, BATCH_NORM_BACKWARD ->
          one.with("variance", Fill.POSITIVE);
      case SGD, ADAM, NADAM, ADAGRAD, RMSPROP, ADADELTA, LION -> remembered(one);
      case SORT_CHUNKS ->
          one.with("ids", full ? Fill.between(-4, parts / 2 + 1) : Fill.scattered(parts));
      case MERGE_CHUNKS ->
          one.with("chunk_sorted", Fill.each(i -> i % 1024 * parts / 1024 - (full ? i / 1024 : 0)))
              .with("chunk_order", Fill.each(i -> i));
      case SUM_RUNS, ADD_ROWS, RUN_SQUARES -> sorted(one, full);
      case SGD_ROWS, ADAM_ROWS, NADAM_ROWS, ADAGRAD_ROWS, RMSPROP_ROWS, ADADELTA_ROWS, LION_ROWS ->
          remembered(sorted(one, full));
      case EMBEDDING_BAG_FORWARD -> bags(one, full);
      case EMBEDDING_BAG_BACKWARD ->
          bags(one, full).with("counts", full ? Fill.between(-1, 5) : Fill.each(b -> 1 + b % 3));
      case PATH_LOSS_FORWARD -> paths(one, full);
      case PATH_LOSS_BACKWARD ->
          one.with("taken", full ? Fill.between(-2, outer + 2) : Fill.between(-1, outer));
      // draws that are below their threshold, and others; labels that are no words
      case NEGATIVE_SAMPLES ->
          one.with("thresholds", Fill.each(i -> i % 3 == 0 ? -5 : 1 << 30))
              .with("labels", full ? Fill.between(-2, outer + 2) : Fill.scattered(outer));
      // each row once; or rows that come again, are not there, and begin at the cursor
      case GATHER_ROWS, GATHER_ROWS_U8, GATHER_IDS ->
          one.with("index", full ? Fill.between(0, outer + 2) : Fill.scattered(outer));
      default -> one;
    };
  }

  /** Memories as steps leave them: means of squares, and a mean whose square is below that. */
  private static KernelCase remembered(KernelCase one) {
    Fill small = Fill.each(i -> (i % 7 - 3) / 16.0);
    KernelCase filled =
        one.with("second", Fill.POSITIVE)
            .with("third", rule(one.kernel()) == Kernel.ADAM ? Fill.POSITIVE : small)
            .with("squares", Fill.POSITIVE);
    return rule(one.kernel()) == Kernel.ADADELTA ? filled.with("first", Fill.POSITIVE) : filled;
  }

  /** Ids in order, each as often as it must; with those that are no rows at both ends. */
  private static KernelCase sorted(KernelCase one, boolean full) {
    long outer = one.sizes().outer();
    long rows = one.sizes().rows();
    return one.with("sorted", Fill.each(i -> full ? i * (outer + 2) / rows - 1 : i * outer / rows))
        .with("order", Fill.scattered(rows));
  }

  /**
   * Bags that lie one after another, with padding; or every other one is empty, and one is none.
   */
  private static KernelCase bags(KernelCase one, boolean full) {
    long outer = one.sizes().outer();
    long rows = one.sizes().rows();
    long bags = one.sizes().parts();
    return one.with("ids", full ? Fill.between(-2, outer + 2) : Fill.between(-1, outer))
        .with(
            "offsets",
            Fill.each(b -> full && b == 4 ? rows + 1 : (full ? b / 2 * 2 : b) * rows / bags));
  }

  /**
   * Paths of seven steps, some of them none; or one of a row that is not there, one that reaches
   * out, one that ends before it begins and one that is too long, and inputs without a path.
   */
  private static KernelCase paths(KernelCase one, boolean full) {
    long outer = one.sizes().outer();
    long paths = one.sizes().parts();
    if (!full) {
      return one.with("steps", Fill.between(-1, 2 * outer));
    }
    return one.with("steps", Fill.each(k -> k == 7 ? 2 * outer : k * 7919 % (2 * outer + 1) - 1))
        .with("offsets", Fill.each(p -> p == 4 ? 3 * paths + 1 : p == 8 ? 0 : 3 * (p - p % 2)))
        .with("paths", Fill.between(-1, paths + 1));
  }

  /**
   * Of (outer, rows, cols): the first axes exchanged, the last two, each number of (outer, rows)
   * repeated, and the axes from last to first.
   */
  private static Stream<KernelCase> copies(Sizes s, boolean full) {
    long a = s.outer();
    long b = s.rows();
    long c = s.cols();
    return Stream.of(
        copy(s, "exchange", full, b, a, c, c, b * c, 1, a * c, c, 1),
        copy(s, "turn", full, a, b, c, b * c, 1, b, b * c, c, 1),
        copy(s, "stretch", full, a, b, c, b, 1, 0, b * c, c, 1),
        copy(s, "reverse", full, c, b, a, 1, c, b * c, b * a, a, 1));
  }

  private static KernelCase copy(Sizes s, String name, boolean full, long... n) {
    Arguments call =
        Arguments.StridedCopy.over(
            1, 1, n[0], n[1], n[2], 0, 0, n[3], n[4], n[5], 0, 0, n[6], n[7], n[8], full);
    return new KernelCase(name + "_copy", Kernel.STRIDED_COPY, s, call);
  }

  /** One of both transposes of each side, in its own precision or a wide one, or three of them. */
  private static KernelCase product(Sizes s, boolean full, int how, int batch) {
    boolean ta = how >= 4;
    boolean tb = how / 2 % 2 == 1;
    boolean wide = how % 2 == 1;
    long lda = (ta ? s.rows() : s.outer()) + (full ? 2 : 0);
    long ldb = (tb ? s.outer() : s.cols()) + (full ? 3 : 0);
    long ldc = s.cols() + (full ? 1 : 0);
    double alpha = full ? 1.5 : 1;
    double beta = full ? 0.5 : 0;
    Arguments call =
        Arguments.Gemm.over(
            s.rows(),
            s.cols(),
            s.outer(),
            lda,
            ldb,
            ldc,
            ta,
            tb,
            alpha,
            beta,
            false,
            wide,
            batch,
            full || batch == 1 ? 0 : lda * (ta ? s.outer() : s.rows()),
            batch == 1 ? 0 : ldb * (tb ? s.cols() : s.outer()) + 1,
            batch == 1 ? 0 : ldc * s.rows() + (full ? 2 : 0));
    String name = (ta ? "gemm of a'" : "gemm of a") + (tb ? " and b'" : " and b");
    name += batch == 1 ? "" : ", batch";
    return new KernelCase(name + (wide ? ", wide" : ""), Kernel.GEMM, s, call);
  }
}
