// SPDX-License-Identifier: Apache-2.0
/**
 * Pictures of what was computed: curves, points, lines of equal value and grey values, as SVG that
 * follows the page's light or dark theme, as PNG and as animated GIF. For the command, the examples
 * and users; the library itself does not know it.
 */
@NullMarked
package dev.weft.report;

import org.jspecify.annotations.NullMarked;
