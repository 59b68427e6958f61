// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.sass;

import static dev.weft.format.Format.format;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * NVIDIA's nvdisasm, of CUDA 12 or newer. It is given the instructions alone, since it need not
 * know the files that a newer nvcc puts them into.
 */
public final class Disassembler {
  private final Path program;
  private final int chip;

  public Disassembler(Path program, int chip) {
    this.program = program;
    this.chip = chip;
  }

  /**
   * What a kernel's instructions show.
   *
   * @throws IOException with what nvdisasm said, where it fails or leaves instructions out
   */
  public KernelCode read(byte[] code) throws IOException {
    try {
      return KernelCode.of(list(code));
    } catch (IllegalArgumentException e) {
      throw new IOException(program + ": " + e.getMessage(), e);
    }
  }

  private Process start(Path file) throws IOException {
    try {
      return new ProcessBuilder(program.toString(), "--binary", "SM" + chip, file.toString())
          .redirectErrorStream(true)
          .start();
    } catch (IOException e) {
      throw new IOException("there is no program " + program, e);
    }
  }

  private String list(byte[] code) throws IOException {
    Path file = Files.createTempFile("weft-", ".sass");
    try {
      Files.write(file, code);
      Process process = start(file);
      String said;
      try (var output = process.getInputStream()) {
        said = new String(output.readAllBytes(), StandardCharsets.US_ASCII);
      }
      if (process.waitFor() != 0) {
        throw new IOException(format("%s failed: %s", program, said.strip()));
      }
      return said;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(program + " was interrupted", e);
    } finally {
      Files.delete(file);
    }
  }
}
