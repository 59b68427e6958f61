// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import dev.weft.bench.harness.CaseFile.Role;
import dev.weft.bench.kernel.Fill;
import dev.weft.bench.kernel.KernelCase;
import dev.weft.bench.kernel.KernelMemory.Type;
import dev.weft.bench.kernel.Sizes;
import dev.weft.device.Access;
import dev.weft.device.Element;
import dev.weft.device.Kernel;
import dev.weft.device.Operand;
import dev.weft.device.Precision;
import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.stream.Stream;

/**
 * An operand that the harness makes. Its rows repeat, and with them what is made of each, or of all
 * in parts, so that the harness sees where a large result is wrong.
 */
final class TimedOperand {
  /** What it holds before, in the order of the harness. */
  private enum Rule {
    POISON,
    SIGNED,
    POSITIVE,
    BYTES,
    LABELS,
    ORDER,
    STATE
  }

  private static final long PERIOD_BYTES = 16 << 20; // at most

  private TimedOperand() {}

  static void write(Bytes to, KernelCase one, Operand operand, Precision precision) {
    Kernel kernel = one.kernel();
    Sizes s = one.sizes();
    boolean ofRows = s.outer() > 1 && s.cols() == 1; // of a reduction
    long rows = ofRows ? s.outer() : s.rows();
    long cols = ofRows ? s.rows() : s.cols();
    boolean sums = !ofRows && hasParts(kernel);
    long length = sums ? Math.ceilDiv(rows, s.parts()) : 1;
    long most = Math.min(PERIOD_BYTES / (length * cols * precision.bytes()), rows / length / 4);
    long whole = Math.max(1, Long.highestOneBit(most)); // so that all are aligned alike
    Element element = kernel.element(operand);
    boolean state = element == Element.STATE;
    boolean written = operand.access().writes();
    long count = operand.extent() * (state ? Element.STATE_WORDS : 1);
    long period = count == rows * cols ? whole * length * cols : count == rows ? whole * length : 0;
    long repeated = count;
    if (sums && written && count == s.parts() * cols) {
      period = whole * cols;
      repeated = rows / length * cols; // the last part may be shorter
    }
    long lines = written && kernel == Kernel.TRANSPOSE ? cols : 1;
    Role role = state ? Role.SCRATCH : Role.of(operand.access().reads(), written);
    to.text(operand.name()).number(Type.of(element, precision).ordinal()).number(role.ordinal());
    to.word(count * element.bytes(precision)).number(rule(one, operand).ordinal());
    to.word(operand.below() == 0 ? 10 : operand.below());
    to.word(written && isOfItsPlace(kernel) ? 0 : period / lines);
    to.word(repeated / lines).word(lines);
  }

  private static Rule rule(KernelCase one, Operand operand) {
    boolean distribution = operand.name().equals("q");
    boolean positive = distribution || one.fills().get(operand.name()) == Fill.POSITIVE;
    return switch (one.kernel().element(operand)) {
      case STATE -> Rule.STATE;
      case UINT8 -> Rule.BYTES;
      case Element e when operand.access() == Access.OUT -> Rule.POISON;
      case INT32 -> operand.name().equals("index") ? Rule.ORDER : Rule.LABELS;
      default -> positive || operand.access().writes() ? Rule.POSITIVE : Rule.SIGNED;
    };
  }

  /**
   * Whether it adds up in parts; updates and batch_norm_finish only take those of others, which
   * they call squares.
   */
  private static boolean hasParts(Kernel kernel) {
    List<String> fields =
        Stream.of(kernel.arguments().getRecordComponents()).map(RecordComponent::getName).toList();
    return fields.contains("parts")
        && (!fields.contains("squares") || kernel == Kernel.BATCH_NORM_STATISTICS);
  }

  /** Whether what it writes follows from the place. */
  private static boolean isOfItsPlace(Kernel kernel) {
    return switch (kernel) {
      case DROPOUT, RANDOM_UNIFORM, RANDOM_NORMAL, CUMULATIVE_SUM -> true;
      default -> false;
    };
  }
}
