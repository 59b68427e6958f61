// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

/**
 * How a network does on a data set.
 *
 * @param loss the mean over rows; NaN where one of them is
 * @param accuracy the share of rows whose largest output is the label's; NaN where targets are
 *     values or the loss is NaN
 * @param rows the number of rows
 */
public record Evaluation(double loss, double accuracy, long rows) {}
