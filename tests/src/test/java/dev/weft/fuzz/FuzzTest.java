// SPDX-License-Identifier: Apache-2.0
package dev.weft.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.Jazzer;
import dev.weft.device.ChildJvm;
import dev.weft.support.Beside;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Jazzer, a fuzzer that is led by the code that its inputs reach, looks for files that a reader
 * neither reads nor refuses in words. It fuzzes once in a JVM, so that each of its runs has its
 * own: one short one of all readers, and a longer one of each in the profile {@code long}.
 *
 * <p>What it finds is in the failure's message, as Base64 behind {@code Base64:}; decoded it is the
 * input of {@link FuzzTarget#fuzzerTestOneInput}.
 */
@Beside
class FuzzTest {
  private static final Pattern DONE = Pattern.compile("Done (\\d+) runs in \\d+ second");

  private static final int NO_LIMIT = -1;

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(Reader.class)
  void whatAFuzzerStartsFromIsRead(Reader reader) {
    for (byte[] seed : reader.seeds()) {
      assertEquals("", FuzzTarget.read(reader, seed, folder));
    }
    assertFalse(FuzzTarget.read(reader, new byte[0], folder).isEmpty());
    assertFalse(FuzzTarget.read(reader, new byte[] {1, 2, 3}, folder).isEmpty());
  }

  /** What was found once: another exception, much memory, words that help nobody. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "WORD2VEC_TEXT | 0 268435455~ | says 0 words of 268435455 numbers, which cannot be",
        "NETWORK | linear\u007F(1) | 'linear\\u007F(1)' is not a layer",
        "SAFETENSORS | {\"x\":0<8} | it is malformed at line 1 column 6",
        "SAFETENSORS | {\"a\u007F\":1} | path $.a\\u007F",
        "VOCABULARY | a # b # c # d # e # f # g # h # i # j # k # | more than 2^63"
      })
  void whatWasFoundIsRefusedInWords(Reader reader, String content, String words) {
    String file = content.replaceAll(" # ?", " 999999999999999999\n").replace('~', '\n');
    String said = FuzzTarget.read(reader, Reader.file(reader, file), folder);
    assertTrue(said.contains(words), said);
  }

  @Test
  void whatAMessageQuotesIsCut() {
    String header = "{\"" + "n".repeat(5_000) + "\":1}";
    for (Reader reader : List.of(Reader.SAFETENSORS, Reader.NETWORK)) {
      String content = reader == Reader.NETWORK ? "n".repeat(5_000) : header;
      String said = FuzzTarget.read(reader, Reader.file(reader, content), folder);
      assertTrue(said.endsWith("nnn..."), said);
    }
    for (Reader reader : List.of(Reader.VOCABULARY, Reader.WORD_PAIRS)) {
      String content = "\0".repeat(400) + "x"; // each is shown in six characters
      String said = FuzzTarget.read(reader, Reader.file(reader, content), folder);
      assertTrue(said.endsWith("\\u0000..."), said);
    }
  }

  /** The check fails on a reader's other exceptions, and on words that are not about the file. */
  @Test
  void whatIsNoRefusalIsNoticed() {
    for (Exception wrong :
        List.of(new EOFException(), new IOException("x"), new IOException(folder + "/x: a\rb"))) {
      assertThrows(AssertionError.class, () -> FuzzTarget.checked(wrong.getMessage(), folder));
    }
    FuzzTarget.checked(folder + "/x: is empty", folder);
  }

  /** Runs Jazzer; how many files were read. */
  private int fuzz(Class<?> target, int seconds, int runs, List<Reader> readers)
      throws IOException {
    Path seeds = Files.createDirectory(folder.resolve("seeds"));
    for (Reader reader : readers) {
      int number = 0;
      for (byte[] seed : reader.seeds()) {
        Files.write(seeds.resolve(reader + "." + number++), FuzzTarget.input(reader, seed));
      }
    }
    String said =
        new ChildJvm(Jazzer.class)
            .option("-Xmx256m")
            .option("-XX:MaxDirectMemorySize=16m")
            .option("-XX:+EnableDynamicAgentLoading")
            .property("java.io.tmpdir", folder)
            .property(FuzzTarget.FOLDER, folder)
            .property(FuzzTarget.ONLY, readers.size() == 1 ? readers.getFirst() : "")
            .run(
                "--target_class=" + target.getName(),
                "--instrumentation_includes=dev.weft.**",
                "--custom_hook_includes=dev.weft.**",
                "--reproducer_path=" + folder,
                "-artifact_prefix=" + folder + "/",
                "-max_total_time=" + seconds,
                "-runs=" + runs,
                "-timeout=10",
                "-rss_limit_mb=0",
                "-max_len=2000",
                seeds.toString());
    Matcher done = DONE.matcher(said);
    assertTrue(done.find(), said);
    return Integer.parseInt(done.group(1));
  }

  @Test
  void noFileIsNeitherReadNorRefused() throws IOException {
    int runs = fuzz(FuzzTarget.class, 60, 500, Arrays.asList(Reader.values()));
    assertEquals(500, runs);
  }

  @Tag("long")
  @ParameterizedTest
  @EnumSource(Reader.class)
  void noFileOfAReaderIsNeitherReadNorRefused(Reader reader) throws IOException {
    int runs = fuzz(FuzzTarget.class, 60, NO_LIMIT, List.of(reader));
    assertTrue(runs > 1_000, runs + " runs");
  }

  /** A reader with a fault. */
  public static final class Faulty {
    private Faulty() {}

    /** Jazzer's entry. */
    public static void fuzzerTestOneInput(byte[] input) {
      if (input.length > 3 && input[1] == 'w' && input[2] == 'e' && input[3] == 'f') {
        throw new IllegalStateException("the fault that was put in");
      }
    }
  }

  @Tag("long")
  @Test
  void aFaultIsFoundAndItsFileSaid() {
    String said =
        assertThrows(
                AssertionError.class,
                () -> fuzz(Faulty.class, 60, NO_LIMIT, Arrays.asList(Reader.values())))
            .getMessage();
    assertTrue(said.contains("the fault that was put in") && said.contains("Base64: "), said);
  }
}
