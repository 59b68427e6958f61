// SPDX-License-Identifier: Apache-2.0
/** Training and evaluating networks on data sets. For users, and for the command. */
package dev.weft.train;
