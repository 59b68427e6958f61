// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Operations;
import dev.weft.device.Nonlinearity;
import dev.weft.nn.Initializers;
import dev.weft.nn.Layers;
import dev.weft.nn.Loss;
import dev.weft.support.PagePrograms;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What docs/layers-and-losses.md names is there, and its programs print what they say. */
class LayersAndLossesPageTest {
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");
  @TempDir private Path folder;

  /** What stands in code in a column of the tables of a section; -1 is the last column. */
  private static List<String> named(String section, int column) throws IOException {
    String page = PagePrograms.text("layers-and-losses.md");
    String from = page.substring(page.indexOf("\n## " + section + "\n") + 1);
    int end = from.indexOf("\n## ");
    return (end < 0 ? from : from.substring(0, end))
        .lines()
        .filter(line -> line.startsWith("| ") && !line.startsWith("| ---"))
        .map(line -> line.substring(2, line.length() - 1).split("(?<!\\\\)\\|"))
        .map(cells -> cells[column < 0 ? cells.length + column : column])
        .flatMap(cell -> CODE.matcher(cell).results().map(code -> code.group(1)))
        .toList();
  }

  @Test
  void itsProgramsPrintWhatTheySay() throws Exception {
    List<String> programs = PagePrograms.of("layers-and-losses.md");
    assertTrue(programs.size() > 5, "there are programs");
    PagePrograms.assertPrintWhatTheySay(programs, folder);
  }

  @Test
  void whatIsPrintedOtherwiseIsNoticed() {
    List<String> wrong = List.of("System.out.println(1 + 1); // 3\n");
    assertThrows(AssertionError.class, () -> PagePrograms.assertPrintWhatTheySay(wrong, folder));
  }

  @Test
  void itsLayersAndActivationsAreThoseOfTheCommand() throws IOException {
    List<String> words = named("Layers", -1);
    words.forEach(Layers::parse);
    for (Nonlinearity function : Nonlinearity.values()) {
      assertTrue(words.contains(function.token()), function::token);
    }
    for (String name : List.of("linear", "maxout", "prelu", "batch_norm", "row_dropout")) {
      assertTrue(words.stream().anyMatch(word -> word.matches(name + "(\\(.*)?")), name);
    }
    List<String> classes = named("Layers", -2);
    assertTrue(classes.contains("WeightNormLinear"), classes::toString);
    for (String name : classes) {
      if (!name.contains("(") && name.matches("[A-Z].*")) {
        assertEquals(name, assertIsThere("dev.weft.nn." + name).getSimpleName());
      }
    }
  }

  private static Class<?> assertIsThere(String name) {
    try {
      return Class.forName(name);
    } catch (ClassNotFoundException e) {
      throw new AssertionError(name + " is on the page, and nowhere else", e);
    }
  }

  @Test
  void itsInitialValuesAreThoseOfTheCommandAndOfJava() throws IOException {
    named("Initial values", -1).forEach(Initializers::named);
    Set<String> methods = names(Initializers.class.getDeclaredMethods());
    Set<String> page =
        named("Initial values", -2).stream()
            .filter(call -> call.endsWith(")")) // not the title
            .map(call -> call.substring(0, call.indexOf('(')))
            .collect(Collectors.toCollection(TreeSet::new));
    assertTrue(methods.containsAll(page), () -> page + " of " + methods);
    assertTrue(page.size() > 10, page::toString);
  }

  @Test
  void itsLossesAreThoseOfTheCommand() throws IOException {
    List<String> words =
        named("Losses", -1).stream().filter(word -> !word.startsWith("--")).toList();
    assertTrue(words.size() > 2, words::toString);
    for (String word : words) {
      LossOptions options = new LossOptions();
      new CommandLine(CommandLine.Model.CommandSpec.create().addMixin("", mixin(options)))
          .parseArgs("--loss", word);
      assertTrue(options.check().spec().startsWith(word.replaceAll("\\(.*", "")), word);
    }
  }

  private static CommandLine.Model.CommandSpec mixin(Object options) {
    return CommandLine.Model.CommandSpec.forAnnotatedObject(options);
  }

  @Test
  void itsOptionsAreThoseOfTheCommand() throws IOException {
    CommandLine.Model.CommandSpec train = mixin(new TrainCommand());
    Stream.concat(named("Regularisation", -1).stream(), named("Losses", -1).stream())
        .filter(word -> word.startsWith("--"))
        .map(word -> word.substring(0, word.indexOf(' ')))
        .forEach(option -> assertTrue(train.optionsMap().containsKey(option), option));
  }

  /** Every operation is on the page, and nothing else; losses have a table of their own. */
  @Test
  void itsOperationsAreThoseOfJava() throws IOException {
    Set<String> expected =
        names(
            Arrays.stream(Operations.class.getMethods())
                .filter(Method::isDefault)
                .filter(method -> !isLoss(method))
                .toArray(Method[]::new));
    assertEquals(expected, new TreeSet<>(named("Operations", -1)));
  }

  /** Every loss on the page is an operation, and every operation that is a loss is on the page. */
  @Test
  void itsLossesAreOperations() throws IOException {
    Set<String> expected =
        names(
            Arrays.stream(Operations.class.getMethods())
                .filter(Method::isDefault)
                .filter(LayersAndLossesPageTest::isLoss)
                .toArray(Method[]::new));
    expected.removeIf(name -> name.startsWith("path") || name.equals("negativeSamples"));
    Set<String> page = new TreeSet<>(named("Losses", -2));
    page.removeIf(word -> word.contains("(")); // what counts how much
    assertEquals(expected, page);
  }

  @Test
  void itsLossesAreClassesOfJava() throws Exception {
    List<String> page = new ArrayList<>(named("Losses", 2));
    page.removeIf(word -> !word.endsWith(")") || word.startsWith("--"));
    assertTrue(page.size() > 10, page::toString);
    for (String word : page) {
      Matcher made = Pattern.compile("(?:new (\\w+)|(\\w+)\\.(\\w+))\\(.*").matcher(word);
      assertTrue(made.matches(), word);
      String name = made.group(1) == null ? made.group(2) : made.group(1);
      Class<?> type = Class.forName(Loss.class.getPackageName() + "." + name);
      assertTrue(Loss.class.isAssignableFrom(type), word);
      String method = made.group(3);
      assertTrue(
          method == null
              || Stream.of(type.getMethods()).map(Method::getName).anyMatch(method::equals),
          word);
    }
  }

  private static boolean isLoss(Method method) {
    return method.getDeclaringClass().getSimpleName().endsWith("LossOperations");
  }

  private static Set<String> names(Method[] methods) {
    return Arrays.stream(methods)
        .map(Method::getName)
        .filter(name -> !name.startsWith("lambda$"))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
