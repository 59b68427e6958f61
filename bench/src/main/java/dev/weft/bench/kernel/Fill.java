// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import dev.weft.device.Element;
import java.util.function.LongToDoubleFunction;

/**
 * What an operand holds before a call.
 *
 * @param element null: as the contract says
 * @param extent how many; 0: as the contract says
 * @param low of the numbers that are drawn
 * @param high their end
 * @param at gives number i, where they are not drawn; else null
 */
public record Fill(Element element, long extent, double low, double high, LongToDoubleFunction at) {
  static final Fill ZEROS = each(i -> 0);
  static final Fill SIGNED = between(-2, 2);
  public static final Fill POSITIVE = between(0.1, 2);

  static Fill between(double low, double high) {
    return new Fill(null, 0, low, high, null);
  }

  public static Fill each(LongToDoubleFunction at) {
    return new Fill(null, 0, 0, 0, at);
  }

  /** Words of eight bytes. */
  static Fill words(long... words) {
    return each(i -> Double.longBitsToDouble(words[(int) i])).as(Element.LAYER, words.length);
  }

  /** Each number below n once, in an order that jumps, where n is no multiple of 7919. */
  static Fill scattered(long n) {
    return each(i -> i * 7919 % n);
  }

  /** The same in an operand of which the contract says something else. */
  public Fill as(Element type, long count) {
    return new Fill(type, count, low, high, at);
  }
}
