// SPDX-License-Identifier: Apache-2.0
/**
 * What was measured, and how it is shown: tables of text, JSON, and a page with plots. Knows
 * nothing of how measuring is done; used by {@code dev.weft.bench} alone.
 */
package dev.weft.bench.report;
