// SPDX-License-Identifier: Apache-2.0
/**
 * Files: {@link dev.weft.io.Safetensors} and {@link dev.weft.io.Npy}, writing so that a file is
 * whole or absent ({@link dev.weft.io.AtomicFile}), and standard output that remembers what it
 * could not write ({@link dev.weft.io.StandardOutput}).
 *
 * <p>For users and for every package that reads or writes files; it uses no other package of Weft
 * but {@code dev.weft.format}. A file that is not what it should be is a {@link
 * dev.weft.io.FormatException} with the path, the byte and what was expected there; all else that
 * goes wrong with files is another IOException.
 */
@NullMarked
package dev.weft.io;

import org.jspecify.annotations.NullMarked;
