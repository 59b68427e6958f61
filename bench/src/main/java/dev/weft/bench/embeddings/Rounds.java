// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.embeddings;

import dev.weft.bench.company.Scope;
import dev.weft.bench.embeddings.Form.Entrant;
import dev.weft.bench.measure.IdleMachine;
import dev.weft.bench.report.VectorTraining;
import dev.weft.bench.report.VectorTraining.Turn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Runs the sides of a form in turn, in an order that turns around each time, so that a machine that
 * becomes slower favours none.
 */
final class Rounds {
  private final Form form;
  private final Training training;
  private final PlainText text;
  private final Quality quality;
  private final Path folder;
  private final Scope scope;
  private final Duration patience;

  Rounds(
      Form form,
      Training training,
      PlainText text,
      Quality quality,
      Path folder,
      Scope scope,
      Duration patience) {
    this.form = form;
    this.training = training;
    this.text = text;
    this.quality = quality;
    this.folder = folder;
    this.scope = scope;
    this.patience = patience;
  }

  /** Measures all sides; the rows of those that did not fail. */
  List<VectorTraining> run(List<Entrant> entrants, int turns, Run.Listener listener)
      throws IOException {
    List<VectorTraining> rows = new ArrayList<>(entrants.stream().map(this::row).toList());
    for (int turn = 0; turn < turns; turn++) {
      for (int i = 0; i < entrants.size(); i++) {
        int at = turn % 2 == 0 ? i : entrants.size() - 1 - i;
        if (rows.get(at) == null) {
          continue;
        }
        try {
          Turn one = turn(entrants.get(at).side());
          rows.get(at).turns().add(one);
          listener.turn(rows.get(at), one);
        } catch (RuntimeException e) {
          Side side = entrants.get(at).side();
          boolean isWeft = side.kind() == Side.Kind.WEFT;
          listener.failed(form.word(), side.name(), isWeft, String.valueOf(e.getMessage()));
          rows.set(at, null);
        }
      }
    }
    return rows.stream().filter(row -> row != null).toList();
  }

  private VectorTraining row(Entrant entrant) {
    Side side = entrant.side();
    return new VectorTraining(
        form.word(),
        training.words(),
        side.name(),
        side.text(training),
        side.kind() == Side.Kind.WORD2VEC,
        text.words(),
        training.epochs(),
        otherEpochs(),
        new ArrayList<>(),
        entrant.target(),
        entrant.wholeTarget());
  }

  private int otherEpochs() {
    return training.epochs() == 1 ? 2 : 1;
  }

  private Turn turn(Side side) throws IOException {
    try {
      WholeCommand whole = run(side, training, "vectors");
      WholeCommand other = run(side, training.epochs(otherEpochs()), "others");
      return new Turn(
          whole.seconds(),
          other.seconds(),
          whole.ownRate(),
          whole.peakMib(),
          Math.max(whole.disturbance(), other.disturbance()),
          quality.of(folder.resolve("vectors" + side.ending()), training.threads()));
    } finally {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.toList()) {
          if (file.getFileName().toString().matches("(vectors|others)(\\..*)?")) {
            Files.delete(file);
          }
        }
      }
    }
  }

  private WholeCommand run(Side side, Training what, String vectors) throws IOException {
    IdleMachine.await(patience);
    List<String> command = side.command().apply(what, folder.resolve(vectors).toString());
    return WholeCommand.run(side.name(), command, side.environment(), scope);
  }
}
