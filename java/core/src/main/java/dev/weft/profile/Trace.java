// SPDX-License-Identifier: Apache-2.0
package dev.weft.profile;

import static java.util.Locale.ROOT;

import com.google.gson.stream.JsonWriter;
import dev.weft.io.AtomicFile;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/**
 * The steps of a profile as a timeline in the Trace Event Format, which chrome://tracing and
 * ui.perfetto.dev show: rows for steps, phases, layers and kernels.
 */
public final class Trace {
  private static final double NANOSECONDS_PER_MICROSECOND = 1e3;
  private static final int PROCESS = 1;

  /** The rows, from above. */
  private enum Row {
    STEPS,
    PHASES,
    LAYERS,
    KERNELS
  }

  private final Profile profile;
  private final JsonWriter json;

  private Trace(Profile profile, JsonWriter json) {
    this.profile = profile;
    this.json = json;
  }

  /**
   * Writes the file, complete or not at all.
   *
   * @throws IOException where it cannot be written
   */
  public static void write(Profile profile, Path file) throws IOException {
    StringWriter text = new StringWriter();
    new Trace(profile, new JsonWriter(text)).write();
    AtomicFile.write(file, text.append('\n').toString());
  }

  private void write() throws IOException {
    json.beginObject().name("displayTimeUnit").value("ns").name("traceEvents").beginArray();
    name("process_name", 0, profile.device() + ": " + profile.hardware());
    for (Row row : Row.values()) {
      name("thread_name", row.ordinal(), row.name().toLowerCase(ROOT));
    }
    for (Profile.Step step : profile.samples()) {
      double start = step.start() - profile.samples().getFirst().start();
      begin(Row.STEPS, "step", start, step.wall()).endObject();
      spans(Row.PHASES, step, start, Profile.Entry::phase);
      spans(Row.LAYERS, step, start, entry -> entry.call().layer());
      List<Profile.Entry> entries = profile.entries();
      for (int i = 0; i < entries.size(); i++) {
        kernel(entries.get(i), start + step.times()[i], step.times()[i + 1] - step.times()[i]);
      }
    }
    json.endArray().endObject();
  }

  private void name(String what, int row, String name) throws IOException {
    json.beginObject().name("ph").value("M").name("pid").value(PROCESS).name("tid").value(row);
    json.name("name").value(what).name("args").beginObject().name("name").value(name);
    json.endObject().endObject();
  }

  /** One event for all calls in a row that share a name. */
  private void spans(Row row, Profile.Step step, double start, Function<Profile.Entry, String> name)
      throws IOException {
    List<Profile.Entry> entries = profile.entries();
    int first = 0;
    for (int i = 1; i <= entries.size(); i++) {
      String current = name.apply(entries.get(first));
      if (i == entries.size() || !name.apply(entries.get(i)).equals(current)) {
        long[] times = step.times();
        begin(row, current, start + times[first], times[i] - times[first]).endObject();
        first = i;
      }
    }
  }

  private void kernel(Profile.Entry entry, double start, double nanoseconds) throws IOException {
    begin(Row.KERNELS, entry.call().symbol(), start, nanoseconds);
    json.name("args").beginObject();
    json.name("layer").value(entry.call().layer()).name("phase").value(entry.phase());
    json.name("bytes").value(entry.cost().bytes()).name("flops").value(entry.cost().flops());
    json.name("arguments").value(entry.call().arguments().toString());
    json.endObject().endObject();
  }

  private JsonWriter begin(Row row, String name, double start, double nanoseconds)
      throws IOException {
    json.beginObject().name("ph").value("X").name("pid").value(PROCESS);
    json.name("tid").value(row.ordinal()).name("name").value(name);
    json.name("ts").value(start / NANOSECONDS_PER_MICROSECOND);
    return json.name("dur").value(nanoseconds / NANOSECONDS_PER_MICROSECOND);
  }
}
