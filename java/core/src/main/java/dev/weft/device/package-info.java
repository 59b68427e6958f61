// SPDX-License-Identifier: Apache-2.0
/**
 * The door between Java and native code: kernels by name, argument structs, memory, recorded
 * programs. For the packages {@code dev.weft} and {@code dev.weft.op}; users meet {@code
 * dev.weft.Device} instead.
 */
@NullMarked
package dev.weft.device;

import org.jspecify.annotations.NullMarked;
