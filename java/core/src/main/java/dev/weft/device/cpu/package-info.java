// SPDX-License-Identifier: Apache-2.0
/** The CPU backend, over {@code libweft_cpu.so}. Only {@code dev.weft.Device} makes one. */
@NullMarked
package dev.weft.device.cpu;

import org.jspecify.annotations.NullMarked;
