// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;
import static java.util.stream.Collectors.joining;

import dev.weft.optim.Schedule;
import dev.weft.train.EarlyStopping;
import dev.weft.train.OnPlateau;
import java.util.Arrays;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A schedule in one word of the command line, such as {@code multi-step:10,20:0.1}.
 *
 * @param schedule constant for a plateau
 * @param plateau the patience and the factor of a plateau; null for all others
 */
record Course(Schedule schedule, @Nullable Plateau plateau) {

  /** When the rate falls, and to what part of it. */
  record Plateau(int patience, double factor) {

    /** The listener that watches a metric. */
    OnPlateau watching(String metric, EarlyStopping.Direction better) {
      OnPlateau listener =
          better == EarlyStopping.Direction.LOWEST
              ? OnPlateau.lowest(metric)
              : OnPlateau.highest(metric);
      return listener.patience(patience).factor(factor);
    }
  }

  private enum Form {
    COSINE("cosine"),
    LINEAR("linear"),
    POLYNOMIAL("polynomial:POWER"),
    STEPS("steps:EPOCHS:FACTOR"),
    MULTI_STEP("multi-step:EPOCH,EPOCH...:FACTOR"),
    EXPONENTIAL("exponential:FACTOR"),
    RESTARTS("restarts:EPOCHS[:GROWTH]"),
    ONE_CYCLE("one-cycle[:RISE]"),
    INVERSE_SQUARE_ROOT("inverse-square-root:UPDATES"),
    PLATEAU("plateau:PATIENCE:FACTOR");

    private final String text;

    Form(String text) {
      this.text = text;
    }

    private String word() {
      return text.replaceFirst("[\\[:].*", "");
    }

    private boolean takes(int numbers) {
      long most = text.chars().filter(c -> c == ':').count();
      long least = text.replaceFirst("\\[.*", "").chars().filter(c -> c == ':').count();
      return least <= numbers && numbers <= most;
    }
  }

  /** All forms, for help. */
  static final String FORMS =
      "cosine, linear or polynomial:POWER, down to 0 over all --epochs; one-cycle[:RISE], up over a"
          + " share of them and down; restarts:EPOCHS[:GROWTH], cosines again and again;"
          + " steps:EPOCHS:FACTOR, times FACTOR every so many EPOCHS;"
          + " multi-step:EPOCH,EPOCH...:FACTOR, at each EPOCH; exponential:FACTOR, evenly in each"
          + " epoch; inverse-square-root:UPDATES, up over so many and down";

  /**
   * The schedule that a word stands for.
   *
   * @param given the word with what it was given to, such as {@code --schedule cosine}
   * @throws IllegalArgumentException where it is none, or would change nothing
   */
  static Course of(String given, String word, int epochs) {
    String[] parts = word.strip().split(":", -1);
    Form form =
        Stream.of(Form.values())
            .filter(each -> each.word().equals(parts[0].replace('_', '-')))
            .findFirst()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        format(
                            "unknown schedule '%s': use %s",
                            parts[0],
                            Stream.of(Form.values())
                                .map(each -> each.text)
                                .collect(joining(", ")))));
    if (!form.takes(parts.length - 1)) {
      throw new IllegalArgumentException(format("%s: write %s", given, form.text));
    }
    if (form == Form.MULTI_STEP) {
      double[] milestones =
          Stream.of(parts[1].split(",", -1)).mapToDouble(each -> number(given, each)).toArray();
      return multiStep(given, number(given, parts[2]), milestones, epochs);
    }
    double[] numbers =
        Arrays.stream(parts).skip(1).mapToDouble(each -> number(given, each)).toArray();
    return switch (form) {
      case COSINE -> of(given, () -> Schedule.cosine(epochs));
      case LINEAR -> of(given, () -> Schedule.linear(epochs));
      case POLYNOMIAL -> of(given, () -> Schedule.polynomial(epochs, numbers[0]));
      case STEPS -> {
        Course steps = of(given, () -> Schedule.steps(numbers[0], numbers[1]));
        checkFactor(given, numbers[1]);
        checkEnd(given, "change nothing", numbers[0], epochs);
        yield steps;
      }
      case EXPONENTIAL -> {
        Course exponential = of(given, () -> Schedule.exponential(numbers[0]));
        checkFactor(given, numbers[0]);
        yield exponential;
      }
      case RESTARTS -> {
        double growth = numbers.length > 1 ? numbers[1] : 1;
        Course restarts = of(given, () -> Schedule.cosineRestarts(numbers[0], growth));
        checkEnd(given, "not restart", numbers[0], epochs);
        yield restarts;
      }
      case ONE_CYCLE ->
          of(
              given,
              () ->
                  numbers.length > 0
                      ? Schedule.oneCycle(epochs).rise(numbers[0])
                      : Schedule.oneCycle(epochs));
      case INVERSE_SQUARE_ROOT ->
          of(given, () -> Schedule.inverseSquareRoot(whole(given, numbers[0])));
      case PLATEAU -> plateau(given, numbers, epochs);
      case MULTI_STEP -> throw new IllegalStateException("see above");
    };
  }

  /**
   * This one behind a warm-up.
   *
   * @throws IllegalArgumentException where it is of less than 1 update
   */
  Course warmUp(long updates) {
    UpdateOptions.checkAtLeast1("--warm-up", updates, "update");
    if (updates == 1) {
      throw new IllegalArgumentException(
          "--warm-up 1 would change nothing: the first update has the whole rate");
    }
    return new Course(schedule.warmUp(updates), plateau);
  }

  private static Course of(String given, Supplier<Schedule> schedule) {
    return checked(given, () -> new Course(schedule.get(), null));
  }

  private static Course checked(String given, Supplier<Course> course) {
    try {
      return course.get();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(format("%s: %s", given, e.getMessage()), e);
    }
  }

  private static Course multiStep(String given, double factor, double[] milestones, int epochs) {
    Course course = of(given, () -> Schedule.multiStep(factor, milestones));
    checkFactor(given, factor);
    checkEnd(given, "not have all its steps", milestones[milestones.length - 1], epochs);
    return course;
  }

  private static Course plateau(String given, double[] numbers, int epochs) {
    int patience = (int) Math.min(Integer.MAX_VALUE, whole(given, numbers[0]));
    UpdateOptions.checkAtLeast1(given + ": PATIENCE", patience, "epoch");
    Plateau plateau = new Plateau(patience, numbers[1]);
    Course course =
        checked(
            given,
            () -> {
              plateau.watching("loss", EarlyStopping.Direction.LOWEST);
              return new Course(Schedule.CONSTANT, plateau);
            });
    // the first epoch is the best yet, and a new rate is that of the next one
    checkEnd(given, "change nothing", patience + 1.0, epochs);
    return course;
  }

  private static void checkFactor(String given, double factor) {
    if (factor == 1) {
      throw new IllegalArgumentException(format("%s would change nothing: its factor is 1", given));
    }
  }

  private static void checkEnd(String given, String would, double epoch, int epochs) {
    if (epoch >= epochs) {
      throw new IllegalArgumentException(
          format("%s would %s: --epochs %d end before", given, would, epochs));
    }
  }

  private static long whole(String given, double number) {
    if (number != Math.rint(number)) {
      throw new IllegalArgumentException(format("%s: '%s' is not a whole number", given, number));
    }
    return (long) number;
  }

  private static double number(String given, String word) {
    try {
      return Double.parseDouble(word);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(format("%s: '%s' is not a number", given, word), e);
    }
  }
}
