// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import com.google.gson.Gson;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/** A run as JSON: where, when, by which versions and which command, and every table's rows. */
final class Results {
  private final Map<String, Object> content = new LinkedHashMap<>();

  Results(Machine machine, String command) {
    content.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    content.put("command", command);
    content.put("machine", machine);
    content.put("versions", versions());
    content.put("openmp", openmp());
  }

  /** The versions of everything that was measured. */
  static Map<String, String> versions() {
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

  /** What the environment tells OpenMP, which both sides hear. */
  private static Map<String, String> openmp() {
    Map<String, String> told = new TreeMap<>(System.getenv());
    told.keySet().removeIf(name -> !name.matches("(OMP|GOMP|KMP)_.*"));
    return told;
  }

  void add(String table, Object rows) {
    content.put(table, rows);
  }

  /** Writes the file, in place of what it was before. */
  void write(Path file) throws IOException {
    try (Writer text = Files.newBufferedWriter(file)) {
      JsonWriter writer = new JsonWriter(text);
      writer.setIndent("  ");
      new Gson().toJson(content, Map.class, writer);
      text.write('\n');
    }
  }
}
