// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.embeddings;

import dev.weft.bench.company.Scope;
import dev.weft.bench.embeddings.Form.Entrant;
import dev.weft.bench.report.VectorTask;
import dev.weft.bench.report.VectorTraining;
import dev.weft.device.cpu.CpuLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Measures forms, in a folder of its own that is removed at the end, and where it is cut off. */
public final class Run {
  /**
   * What was asked for.
   *
   * @param text plain or gzip
   * @param epochs of whole commands
   * @param patience how long to wait for an idle machine before each command
   * @param only what a side's name must contain a match of
   */
  public record Settings(
      Path text,
      int dimension,
      int window,
      double sample,
      int minCount,
      int threads,
      int epochs,
      int turns,
      Duration patience,
      Pattern only) {}

  /** What happens. */
  public interface Listener {
    /** A form is measured next. */
    void begins(String form, int sides);

    /** A side has had a turn. */
    void turn(VectorTraining row, VectorTraining.Turn turn);

    /** A side has had all turns. */
    void measured(VectorTraining row);

    /** What is not training is measured. */
    void measured(VectorTask row);

    /** A side failed: it has no row. */
    void failed(String form, String side, boolean isWeft, String why);
  }

  private final Settings settings;
  private final Peers peers;
  private final Quality quality;
  private final Listener listener;

  public Run(Settings settings, Peers peers, Quality quality, Listener listener) {
    this.settings = settings;
    this.peers = peers;
    this.quality = quality;
    this.listener = listener;
  }

  /** Measures these forms, in their own order. */
  public void measure(Set<Form> forms) throws IOException {
    Path folder = Files.createTempDirectory("weft-bench");
    try (Scope scope = new Scope()) {
      scope.add(() -> remove(folder));
      PlainText text = PlainText.of(settings.text, folder, settings.minCount);
      for (Form form : Form.values()) {
        if (forms.contains(form)) {
          measure(form, text, folder, scope);
        }
      }
    }
  }

  private static void remove(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
    }
    Files.deleteIfExists(folder);
  }

  private void measure(Form form, PlainText text, Path folder, Scope scope) throws IOException {
    if (form.trains()) {
      train(form, form.hasPeers() ? text : text.small(folder), folder, scope);
    } else if (settings.only.matcher("Weft").find()) {
      listener.begins(form.word(), 1);
      try {
        listener.measured(
            form == Form.READING
                ? Reading.measure(text, settings.minCount, settings.threads, settings.turns)
                : Asking.USUAL.measure(folder, settings.threads, settings.turns));
      } catch (RuntimeException e) {
        listener.failed(form.word(), "Weft", true, String.valueOf(e.getMessage()));
      }
    }
  }

  private void train(Form form, PlainText text, Path folder, Scope scope) throws IOException {
    int dimension = form.dimension(settings.dimension);
    Training training =
        new Training(
            text.file(),
            text.vocabulary(),
            form.model,
            form.objective,
            dimension,
            settings.window,
            settings.sample,
            settings.minCount,
            form.rate(),
            settings.threads,
            settings.epochs);
    List<Entrant> entrants =
        new ArrayList<>(form.weft(dimension, settings.epochs, CpuLibrary.get().isa()));
    if (form.hasPeers()) {
      peers.sides().forEach(side -> entrants.add(new Entrant(side, 0, 0)));
    }
    entrants.removeIf(one -> !settings.only.matcher(one.side().name()).find());
    if (!entrants.isEmpty()) {
      listener.begins(form.word(), entrants.size());
      new Rounds(form, training, text, quality, folder, scope, settings.patience)
          .run(entrants, settings.turns, listener)
          .forEach(listener::measured);
    }
  }
}
