// SPDX-License-Identifier: Apache-2.0

/**
 * Where the time of a step goes: kernel by kernel, with what each moves and computes, beside what
 * the machine can do. {@code dev.weft.train} takes profiles; users, the command and the benchmarks
 * read them.
 */
@NullMarked
package dev.weft.profile;

import org.jspecify.annotations.NullMarked;
