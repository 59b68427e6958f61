// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static dev.weft.format.Format.format;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import com.google.gson.JsonSerializer;
import dev.weft.io.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * A run: where, when, by which versions and which command, and all that was measured. As JSON, its
 * fields are the objects of a file. One thread may add while another writes; who reads meanwhile
 * holds this object's lock.
 */
public final class Results {
  private static final Gson GSON =
      new GsonBuilder()
          .setPrettyPrinting()
          .registerTypeAdapter(double.class, Results.special())
          .registerTypeAdapter(Double.class, Results.special())
          .create();

  /** NaN and infinity as words, since JSON has no such numbers; they are read back as they were. */
  private static JsonSerializer<Double> special() {
    return (value, type, context) ->
        Double.isFinite(value) ? new JsonPrimitive(value) : new JsonPrimitive(value.toString());
  }

  private final String date;
  private final String command;
  private final Machine machine;
  private final Map<String, String> versions;
  private final Map<String, String> openmp;
  private final List<Missing> missing = new ArrayList<>();
  private final List<Measurement> measurements = new ArrayList<>();
  private final List<Agreement> agreements = new ArrayList<>();
  private final List<Memory> memory = new ArrayList<>();
  private final List<Endurance> endurance = new ArrayList<>();
  private List<Company> company = new ArrayList<>();
  private List<VectorTraining> vectorTrainings = new ArrayList<>();
  private List<VectorTask> vectorTasks = new ArrayList<>();
  private List<Failure> failures = new ArrayList<>();
  private double loadAtTheEnd;
  private transient Path file;

  /** A run that begins. */
  public Results(Machine machine, String command) {
    this.date = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    this.command = withoutFolders(command);
    this.machine = machine;
    this.versions = versions();
    this.openmp = openmp();
  }

  /** The versions of everything that was measured. */
  public static Map<String, String> versions() {
    Properties built = new Properties();
    try (InputStream in = Results.class.getResourceAsStream("versions.properties");
        Reader text = new InputStreamReader(in, StandardCharsets.UTF_8)) {
      built.load(text);
    } catch (IOException e) {
      throw new IllegalStateException("versions.properties cannot be read", e);
    }
    Map<String, String> versions = new TreeMap<>();
    built.forEach((name, version) -> versions.put((String) name, (String) version));
    versions.put("jdk", System.getProperty("java.vm.version"));
    return versions;
  }

  /** What the environment tells OpenMP; of Weft it is only the number of threads. */
  private static Map<String, String> openmp() {
    Map<String, String> told = new TreeMap<>(System.getenv());
    told.keySet().removeIf(name -> !name.matches("(OMP|GOMP|KMP)_.*"));
    return told;
  }

  /** Writes the file anew whenever something was measured or failed, from now on. */
  public synchronized void keepIn(Path file) {
    this.file = file;
  }

  /** Adds something measured. */
  public synchronized void add(Measurement measurement) {
    measurements.add(measurement);
    keep();
  }

  /** Adds something measured: turns, where the same thing is here already. */
  public synchronized void join(Measurement measurement) {
    for (int i = 0; i < measurements.size(); i++) {
      if (measurements.get(i).isTurnOf(measurement)) {
        measurements.set(i, measurements.get(i).followedBy(measurement));
        return;
      }
    }
    measurements.add(measurement);
  }

  /** Adds what a later run measured, its devices, and what it missed. */
  public synchronized void join(Results later) {
    later.measurements.forEach(this::join);
    later.missing.forEach(this::add);
    failures.addAll(later.failures);
    agreements.addAll(later.agreements);
    later.machine.devices().stream()
        .filter(device -> !machine.devices().contains(device))
        .forEach(machine.devices()::add);
  }

  /** Adds two sides that train alike. */
  public synchronized void add(Agreement agreement) {
    agreements.add(agreement);
  }

  /** Adds a run's memory. */
  public synchronized void add(Memory run) {
    memory.add(run);
  }

  /** Adds a long run's memory. */
  public synchronized void add(Endurance run) {
    endurance.add(run);
  }

  /** Adds a row of training in company. */
  public synchronized void add(Company row) {
    company.add(row);
    keep();
  }

  /** Adds a side that trains word vectors. */
  public synchronized void add(VectorTraining row) {
    vectorTrainings.add(row);
    keep();
  }

  /** Adds what is done with word vectors beside training. */
  public synchronized void add(VectorTask row) {
    vectorTasks.add(row);
    keep();
  }

  /** Says what was not measured; the same is said once. */
  public synchronized void add(Missing what) {
    if (!missing.contains(what)) {
      missing.add(what);
    }
  }

  /** Says what Weft itself did wrong: the run ends with an error. */
  public synchronized void fail(Failure failure) {
    failures.add(failure);
    keep();
  }

  /** Whether Weft did something wrong in this run. */
  public synchronized boolean failed() {
    return !failures.isEmpty() || endurance.stream().anyMatch(run -> !run.holds());
  }

  private void keep() {
    if (file != null) {
      try {
        write(file);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot write " + e.getMessage(), e);
      }
    }
  }

  /** Ends the run. */
  public synchronized void finish(double load) {
    loadAtTheEnd = load;
  }

  /** Everything of a part, in the order of measuring. */
  public List<Measurement> of(Part part) {
    return where(one -> one.part() == part);
  }

  /** What a test holds for. */
  public List<Measurement> where(Predicate<Measurement> test) {
    return measurements.stream().filter(test).toList();
  }

  /** Sides that train alike. */
  public List<Agreement> agreements() {
    return agreements;
  }

  /** Memory of training runs. */
  public List<Memory> memory() {
    return memory;
  }

  /** Memory of long runs. */
  public List<Endurance> endurance() {
    return endurance;
  }

  /** Training in company. */
  public List<Company> company() {
    return company;
  }

  /** Training of word vectors. */
  public List<VectorTraining> vectorTrainings() {
    return vectorTrainings;
  }

  /** What is done with word vectors beside training. */
  public List<VectorTask> vectorTasks() {
    return vectorTasks;
  }

  /** What Weft itself did wrong. */
  public List<Failure> failures() {
    return failures;
  }

  /** Whether the losses of a step that was timed differ from those of Weft STRICT on the CPU. */
  public boolean disagrees(Measurement step) {
    return agreements.stream()
        .anyMatch(
            one ->
                !one.holds()
                    && one.network().equals(step.group())
                    && one.batch() == step.x()
                    && one.who().equals(step.who())
                    && one.device().equals(step.device()));
  }

  /** What was not measured. */
  public List<Missing> missing() {
    return missing;
  }

  /** Where. */
  public Machine machine() {
    return machine;
  }

  /** When: ISO 8601, UTC. */
  public String date() {
    return date;
  }

  /** A command whose files are named without the folders of a machine. */
  public static String withoutFolders(String command) {
    return command.replaceAll("(?<=[ =])/(\\S*/)?(?=\\S)", "");
  }

  /** By which command. */
  public String command() {
    return command;
  }

  /** By which versions. */
  public Map<String, String> versionsMeasured() {
    return versions;
  }

  /** Load averages before and after. */
  public String loads() {
    return format("%.2f before, %.2f after", machine.load(), loadAtTheEnd);
  }

  /** Writes the file, in place of what it was before, which stays where writing fails. */
  public synchronized void write(Path file) throws IOException {
    AtomicFile.write(file, GSON.toJson(this) + "\n");
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws IOException where the file cannot be read or is not of that kind
   */
  public static Results read(Path file) throws IOException {
    try (Reader text = Files.newBufferedReader(file)) {
      Results results = GSON.fromJson(text, Results.class);
      if (results == null || results.machine == null || results.measurements == null) {
        throw new IOException(file + ": not a file of weft bench --json");
      }
      if (results.failures == null) {
        results.failures = new ArrayList<>();
      }
      if (results.company == null) {
        results.company = new ArrayList<>();
      }
      if (results.vectorTrainings == null) {
        results.vectorTrainings = new ArrayList<>();
        results.vectorTasks = new ArrayList<>();
      }
      return results;
    } catch (JsonParseException e) {
      throw new IOException(format("%s: not JSON of weft bench: %s", file, e.getMessage()), e);
    }
  }
}
