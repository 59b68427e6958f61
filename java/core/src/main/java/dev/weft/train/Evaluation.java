// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

/**
 * How a network does on a data set.
 *
 * @param loss the mean over rows
 * @param accuracy the share of rows whose largest output is the label's; NaN where targets are
 *     values
 * @param rows the number of rows
 */
public record Evaluation(double loss, double accuracy, long rows) {}
