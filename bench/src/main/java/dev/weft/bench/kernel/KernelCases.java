// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.Nonlinearity;
import dev.weft.device.ReductionFunction;
import dev.weft.op.LayerNorm;
import dev.weft.op.Reduction;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The calls of every kernel by which it is tested, checked on a GPU, and timed: each of its
 * functions, with numbers that follow from their names in the contract.
 */
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
      case BIAS_ACTIVATION_GRADIENTS -> Stream.of(s(1, rows, cols, parts));
      case LAYER_NORM_BACKWARD -> Stream.of(s(1, rows, cols, LayerNorm.parts(rows, cols)));
      // parts are the first stage of two
      case REDUCE ->
          Stream.of(
              s(rows, cols, 1),
              s(1, rows, cols, parts),
              s(1, rows * cols, 1, Reduction.parts(1, rows * cols, 1)));
      case REDUCE_BACKWARD, MAX_BACKWARD -> Stream.of(s(rows, cols, 1));
      case GATHER_ROWS, GATHER_ROWS_U8, GATHER_ROWS_BACKWARD, GATHER_LABELS ->
          Stream.of(s(rows, rows, cols));
      default -> Stream.of(s(1, rows, cols));
    };
  }

  private static Sizes s(long outer, long rows, long cols, long... parts) {
    return new Sizes(outer, rows, cols, parts.length == 0 ? 1 : parts[0]);
  }

  private static List<Sizes> tested(Kernel kernel) {
    return switch (kernel) {
      // columns that packs divide and others, one part and several
      case BIAS_ACTIVATION_GRADIENTS ->
          List.of(s(1, 37, 53), s(1, 37, 64), s(1, 131, 36, 3), s(1, 70, 13, 2));
      // rows for one to eight warps of the GPU, and rows that its registers do not hold
      case SOFTMAX_CROSS_ENTROPY ->
          List.of(
              s(1, 37, 3),
              s(1, 37, 53),
              s(1, 37, 301),
              s(1, 37, 1000),
              s(1, 3, 1501),
              s(1, 3, 4001),
              s(1, 3, 12_345));
      // rows for eight lanes to eight warps of the GPU, and rows that its registers do not hold
      case LAYER_NORM_FORWARD, LAYER_NORM_BACKWARD ->
          List.of(
              s(1, 37, 3),
              s(1, 37, 20),
              s(1, 37, 53),
              s(1, 37, 64),
              s(1, 37, 300, 2),
              s(1, 5, 300, 4), // a part without rows
              s(1, 37, 1000, 2),
              s(1, 3, 1501),
              s(1, 3, 4001),
              s(1, 3, 5000, 2),
              s(1, 3, 12_345));
      // columns, and rows for a warp and for a block
      case REDUCE -> List.of(s(3, 7, 11, 2), s(3, 70, 12, 2), s(37, 53, 1, 2), s(5, 9001, 1, 2));
      case REDUCE_BACKWARD -> List.of(s(3, 7, 11));
      case MAX_BACKWARD -> List.of(s(3, 7, 11), s(3, 70, 12), s(3, 7, 1), s(3, 301, 1));
      // rows of any length, and of whole accesses
      case GATHER_ROWS -> List.of(s(37, 10, 53), s(37, 10, 64));
      case GATHER_ROWS_U8 -> List.of(s(37, 10, 53), s(37, 10, 64), s(37, 10, 784));
      case GATHER_ROWS_BACKWARD -> List.of(s(5, 20, 53), s(5, 20, 64), s(5, 20, 132));
      case GATHER_LABELS -> List.of(s(37, 10, 1));
      case ARGMAX -> List.of(s(1, 37, 10), s(1, 37, 53), s(1, 37, 64), s(1, 37, 701));
      case COPY_ROWS -> List.of(s(1, 37, 30));
      case TRANSPOSE -> List.of(s(1, 37, 53), s(1, 36, 53), s(1, 37, 64), s(1, 36, 64));
      // a small product, and one whose right operand the CPU lays out anew
      case GEMM -> List.of(s(11, 5, 7), s(37, 800, 70));
      default -> List.of(s(1, 37, 53));
    };
  }

  private static List<KernelCase> of(Kernel kernel, Sizes s, Form form) {
    return switch (kernel) {
      case GEMM -> products(kernel, form == Form.FULL, s.rows, s.cols, s.outer);
      // how rows lie in their memory is for the device to choose
      case FUSED_PASS -> Stream.of(FusedCases.values()).map(FusedCases::pass).toList();
      case FUSED_UPDATE -> Stream.of(FusedCases.values()).map(FusedCases::update).toList();
      default -> functions(kernel).flatMap(function -> one(kernel, s, form, function)).toList();
    };
  }

  /** What a kernel can do, which its case is named by; the kernel where that is one thing. */
  private static Stream<Enum<?>> functions(Kernel kernel) {
    List<Enum<?>> functions =
        Stream.of(kernel.arguments().getRecordComponents())
            .filter(number -> number.getType().isEnum())
            .<Enum<?>>flatMap(number -> Stream.of((Enum<?>[]) number.getType().getEnumConstants()))
            .filter(f -> kernel != Kernel.REDUCE_BACKWARD || f != ReductionFunction.MAX)
            .toList();
    return functions.isEmpty() ? Stream.of(kernel) : functions.stream();
  }

  private static String name(Kernel kernel, Sizes s, Enum<?> function) {
    String name = kernel.name().toLowerCase(ROOT);
    return switch (kernel) {
      case F32_TO_BF16 -> "to_bf16";
      case BF16_TO_F32 -> "from_bf16";
      case SGD -> "sgd_momentum";
      case COPY_ROWS -> "copy";
      case REDUCE ->
          function.name().toLowerCase(ROOT)
              + (s.cols > 1 ? "_of_columns" : s.outer > 1 ? "_of_rows" : "_of_all");
      default ->
          function == kernel
              ? name
              : function.name().toLowerCase(ROOT) + name.substring(name.lastIndexOf('_'));
    };
  }

  private static Stream<KernelCase> one(Kernel kernel, Sizes s, Form form, Enum<?> function) {
    boolean full = form == Form.FULL;
    Method over =
        Stream.of(kernel.arguments().getMethods())
            .filter(method -> method.getName().equals("over"))
            .findFirst()
            .orElseThrow();
    RecordComponent[] fields = kernel.arguments().getRecordComponents();
    Object[] numbers =
        Stream.of(fields)
            .skip(fields.length - over.getParameterCount()) // pointers stand before numbers
            .map(number -> value(number, kernel, s, full, function))
            .toArray();
    Arguments call;
    try {
      call = (Arguments) over.invoke(null, numbers);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(kernel + " has no call over such numbers", e);
    }
    call = full ? call : call.without(spared(kernel, function));
    KernelCase one = filled(KernelCase.of(name(kernel, s, function), kernel, call), s, full);
    return full && kernel == Kernel.SOFTMAX_CROSS_ENTROPY
        ? Stream.of(one, KernelCase.of(one.name() + " in place", kernel, call.inPlace("dx", "x")))
        : Stream.of(one);
  }

  private static Object value(
      RecordComponent number, Kernel kernel, Sizes s, boolean full, Enum<?> function) {
    String name = number.getName();
    if (number.getType() == long.class) {
      return whole(name, kernel, s, full);
    } else if (number.getType() == double.class) {
      return real(name, kernel, s, full);
    }
    // of two outputs one is added to
    boolean second = name.equals("accumulateB") || name.equals("accumulateShift");
    return number.getType() == boolean.class ? (Object) (full != second) : function;
  }

  private static long whole(String name, Kernel kernel, Sizes s, boolean full) {
    return switch (name) {
      case "n" -> s.elements();
      case "outer", "sourceRows" -> s.outer;
      case "rows", "count", "d2" -> s.rows;
      case "cols", "inner", "classes", "d3", "a2" -> s.cols;
      case "parts" -> s.parts;
      case "d0", "d1", "a3", "b3" -> 1;
      case "a0", "a1", "b0", "b1" -> 0;
      case "b2" -> full ? 0 : s.cols; // b is stretched over the rows
      case "xStride" -> s.cols + (full ? 23 : 0);
      case "yStride" -> s.cols + (full ? 10 : 0);
      case "seed" -> 3;
      case "step" -> 4;
      case "operation" -> 5;
      default -> throw new IllegalArgumentException(kernel + ": no case knows a number " + name);
    };
  }

  private static double real(String name, Kernel kernel, Sizes s, boolean full) {
    return switch (name) {
      case "alpha" -> 0.7;
      case "rate" -> 0.3;
      case "a" -> -1;
      case "b" -> 2;
      case "value" -> 2.5;
      case "shift" -> -0.5;
      case "momentum", "beta1" -> 0.9;
      case "beta2" -> 0.999;
      case "epsilon" -> kernel == Kernel.ADAM ? 1e-8 : 1e-5;
      case "dampening", "smoothing" -> full ? 0.1 : 0;
      case "l2" -> full ? 0.01 : 0;
      case "weightDecay" -> full ? 0.02 : 0;
      case "scale" ->
          switch (kernel) {
            case SOFTMAX_CROSS_ENTROPY -> full ? 0.5 : 1.0 / s.rows;
            case GATHER_ROWS_U8 -> 1 / 255.0;
            case GATHER_ROWS_BACKWARD -> full ? 2 : 1e-6; // timed, it adds up
            case COPY_ROWS -> full ? 3 : 1;
            default -> 0.5;
          };
      default -> throw new IllegalArgumentException(kernel + ": no case knows a number " + name);
    };
  }

  /** The operands that a layer's call does without. */
  private static String[] spared(Kernel kernel, Enum<?> function) {
    return switch (kernel) {
      case BIAS_ACTIVATION_GRADIENTS ->
          ((Nonlinearity) function).derivativeNeedsInput()
              ? new String[] {"y"}
              : new String[] {"x", "b"};
      case BINARY_BACKWARD -> new String[] {"db"};
      case SOFTMAX_CROSS_ENTROPY -> new String[] {"hits"};
      case SGD, ADAM -> new String[] {"copy"};
      case GATHER_ROWS, GATHER_ROWS_U8, GATHER_LABELS -> new String[] {"state"};
      default -> new String[] {};
    };
  }

  private static KernelCase filled(KernelCase one, Sizes s, boolean full) {
    return switch (one.kernel()) {
      case BIAS_ACTIVATION_BACKWARD, BIAS_ACTIVATION_GRADIENTS -> one.with("y", Fill.POSITIVE);
      case UNARY_FORWARD -> one.with("x", Fill.POSITIVE);
      case UNARY_BACKWARD -> one.with("x", Fill.POSITIVE).with("y", Fill.POSITIVE);
      case BINARY_FORWARD, BINARY_BACKWARD -> one.with("a", Fill.POSITIVE).with("b", Fill.POSITIVE);
      // every third entry is the largest
      case MAX_BACKWARD ->
          one.with("x", Fill.each(i -> i % 3 == 0 ? 2 : i % 2)).with("y", Fill.each(i -> 2));
      // values that come more than once
      case ARGMAX -> one.with("x", Fill.scattered(97));
      case ADAM -> one.with("second", Fill.POSITIVE);
      // each row once; or rows that come again, are not there, and begin at the cursor
      case GATHER_ROWS, GATHER_ROWS_U8, GATHER_ROWS_BACKWARD, GATHER_LABELS ->
          one.with("index", full ? Fill.between(0, s.outer + 2) : Fill.scattered(s.outer));
      default -> one;
    };
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
          cases.add(KernelCase.of("gemm" + how + (wide ? ", wide" : ""), kernel, call));
        }
      }
    }
    return cases;
  }
}
