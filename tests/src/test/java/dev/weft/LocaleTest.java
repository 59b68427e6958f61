// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import dev.weft.bench.report.Page;
import dev.weft.bench.report.Results;
import dev.weft.check.GradCheck;
import dev.weft.cli.Main;
import dev.weft.cli.Screen;
import dev.weft.data.Digits;
import dev.weft.data.Idx;
import dev.weft.data.Split;
import dev.weft.device.ChildJvm;
import dev.weft.device.NativeFiles;
import dev.weft.io.Safetensors;
import dev.weft.nn.Activation;
import dev.weft.nn.Dropout;
import dev.weft.nn.Initializers;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Adam;
import dev.weft.optim.Sgd;
import dev.weft.train.Trainer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever is saved, said or read is the same in every locale: languages with digits of their own
 * (Arabic, Persian, Thai, Hindi), with a comma for a point (German), where I in small is not i
 * (Turkish).
 */
@Isolated
class LocaleTest {
  private static final String RESULTS = "bench/results/cpu-epyc-2-cores.json";

  @TempDir private static Path folder;
  private static String expected;

  @BeforeAll
  static void underNoLocale() throws Exception {
    expected = under(Locale.ROOT);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ar-EG", "fa-IR", "th-TH-u-nu-thai", "tr-TR", "de-DE", "hi-IN-u-nu-deva"})
  void nothingSavedOrSaidDependsOnTheLocale(String tag) throws Exception {
    Locale locale = Locale.forLanguageTag(tag);
    assertTrue(
        !String.format(locale, "%d %.1f", 15, 0.5).equals("15 0.5")
            || !"I".toLowerCase(locale).equals("i"),
        "this Java knows the locale");
    assertEquals(expected, under(locale));
  }

  /** A program whose classes have never seen another locale. */
  @Test
  void aProgramThatStartsInALocaleSavesAndSaysTheSame() throws Exception {
    String said =
        new ChildJvm(LocaleTest.class)
            .property("user.language", "ar")
            .property("user.country", "EG")
            .property("stdout.encoding", "UTF-8") // also where the shell's is ASCII
            .variable("WEFT_CACHE", NativeFiles.cacheFolder())
            .run(folder.toString());
    assertEquals("١٥\n" + expected, said.strip());
  }

  /** Prints 15, and what was saved and said. */
  public static void main(String[] arguments) throws Exception {
    System.out.println(String.format(Locale.getDefault(), "%d", 15));
    System.out.println(said(Path.of(arguments[0])));
  }

  private static String under(Locale locale) throws Exception {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(locale);
      return said(folder);
    } finally {
      Locale.setDefault(before);
    }
  }

  private static String said(Path folder) throws Exception {
    List<String> lines = new ArrayList<>();
    library(lines, folder);
    refusals(lines, folder);
    commands(lines, folder);
    Path page = folder.resolve("page.html");
    new Page(Results.read(Path.of(System.getProperty("user.dir")).resolveSibling(RESULTS)))
        .write(page);
    lines.add("page " + digest(page));
    lines.add(
        "unpacked " + NativeFiles.file("org/bytedeco/dnnl/linux-x86_64/libgomp.so.1").toString());
    return String.join("\n", lines).strip();
  }

  private static void library(List<String> lines, Path folder) throws Exception {
    try (Device device = Device.named("CPU")) {
      lines.add(device.name());
      Sequential network =
          Sequential.of(
              new Linear(784, 16),
              Activation.leakyRelu(0.05),
              new Dropout(0.25),
              new Linear(16, 10, Initializers.xavierUniform(), Linear.Bias.WITHOUT));
      lines.add(network.spec());
      lines.add(Adam.rate(0.001).spec() + " " + Sgd.rate(0.1).momentum(0.9).spec());
      lines.add(new SoftmaxCrossEntropy(0.1).spec());
      lines.add(Sequential.parse(network.spec()).spec());
      lines.add(Sequential.parse("LINEAR(784,16) SIGMOID SILU IDENTITY linear(16,2)").spec());
      Split digits = Digits.generate(600, 7);
      Trainer trainer = Trainer.of(network).on(device).batch(100).seed(3);
      lines.add(times(trainer.fit(digits.train(), digits.test(), 1).last().toString()));
      Path file = folder.resolve("network.safetensors");
      network.save(file);
      lines.add("network " + digest(file));
      lines.add(Safetensors.read(file).metadata().toString());
      lines.add(Sequential.load(file).spec());
      lines.add(
          GradCheck.of((tape, in) -> tape.sum(tape.tanh(in[0])))
              .at(GradCheck.randomNormal(3, 2))
              .check()
              .toString());
      network.close();
    }
  }

  /** What is said of wrong use, with the numbers in it. */
  private static void refusals(List<String> lines, Path folder) throws IOException {
    Path images = folder.resolve("images");
    Files.write(images, new byte[] {0, 0, 8, 3, 0, 0, 4, 87, 0, 0, 0, 28, 0, 0, 0, 28});
    Path tensors = folder.resolve("tensors");
    Files.write(tensors, new byte[] {127, 0, 0, 0, 0, 0, 0, 0, '{', '}'});
    Stream.<Executable>of(
            () -> Idx.images(images),
            () -> Safetensors.read(tensors),
            () -> Sequential.parse("linear(784,16) linear(15,10)"),
            () -> Sequential.parse("dropout(0,5)"),
            () -> Digits.generate(-12, 1),
            () -> Adam.rate(-0.25),
            () -> Device.named("cuda:x"))
        .forEach(
            refused -> {
              try {
                refused.execute();
                lines.add("taken");
              } catch (Throwable e) {
                lines.add(String.valueOf(e.getMessage()));
              }
            });
  }

  private static void commands(List<String> lines, Path folder) throws Exception {
    Path network = folder.resolve("trained.safetensors");
    Path log = folder.resolve("log.jsonl");
    Path predictions = folder.resolve("predictions.csv");
    command(
        lines,
        "train --digits 600 --epochs 1 --rate 0.1 --optimizer NESTEROV --dropout 0.25 "
            + "--hidden 16 --activation SILU --device CPU --overwrite --plain "
            + format("--validation 0.25 --out %s --log %s", network, log));
    lines.add("trained " + digest(network));
    lines.add(times(Files.readString(log)));
    Files.readAllLines(log).forEach(JsonParser::parseString);
    command(
        lines,
        format("evaluate %s --device cpu --digits 600 --predictions %s", network, predictions));
    assertTrue(Files.exists(predictions), () -> lines.getLast());
    lines.add("predictions " + digest(predictions));
    command(lines, "gradcheck --only unary_square");
    command(lines, "train --help");
    command(lines, "train --rate 0,1");
    command(lines, "train --digits 1.000");
    command(lines, "train --validation 1.5");
  }

  private static void command(List<String> lines, String words) {
    StringWriter out = new StringWriter();
    PrintWriter printer = new PrintWriter(out);
    Screen screen =
        new Screen(printer, printer, Screen.Kind.PLAIN, 100, StandardCharsets.UTF_8, () -> null);
    int code = Main.run(screen, words.split(" "));
    lines.add(times(out.toString()) + code);
  }

  /** The text with a # for what differs from run to run, mostly how long something took. */
  private static String times(String text) {
    return text.replaceAll("[0-9]+(,[0-9]{3})*(\\.[0-9]+)? (s|samples/s)\\b", "# $3")
        .replaceAll("(seconds\"?[:=]|samples_per_second\":)[0-9]+\\.[0-9]+(E-?[0-9]+)?", "$1#")
        // which depends on the class loader: from a jar or from a folder of classes
        .replaceAll("\"weft\":\"[^\"]+\"", "\"weft\":#");
  }

  private static String digest(Path file) throws Exception {
    byte[] bytes = Files.readAllBytes(file);
    MessageDigest sha = MessageDigest.getInstance("SHA-256");
    return bytes.length + " " + HexFormat.of().formatHex(Arrays.copyOf(sha.digest(bytes), 8));
  }
}
