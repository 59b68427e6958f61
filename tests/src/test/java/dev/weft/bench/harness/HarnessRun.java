// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.weft.support.Emulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** What a run of {@code weft-harness} over the emulated driver has left. */
record HarnessRun(int code, String output, JsonObject json) {
  /** Runs it in a new folder within one, so that several can run at a time. */
  static HarnessRun of(Path parent, Map<String, String> environment, Object... options)
      throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory(parent, "run");
    Path json = folder.resolve("rows.json");
    Path output = folder.resolve("output.txt");
    Path kernels = Emulator.kernels(folder.resolve("kernels"));
    List<String> command = new ArrayList<>();
    command.add(Emulator.folder().resolveSibling("harness").resolve("weft-harness").toString());
    command.addAll(List.of("--kernels", kernels.toString(), "--json", json.toString()));
    Stream.of(options).map(Object::toString).forEach(command::add);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().remove("WEFT_EMULATOR");
    builder.environment().put("WEFT_CUDA_DRIVER", Emulator.folder() + "/libcuda.so.1");
    builder.environment().putAll(environment);
    Process process = builder.redirectOutput(output.toFile()).start();
    assertTrue(process.waitFor(2, TimeUnit.MINUTES), "it hangs");
    String rows = Files.exists(json) ? Files.readString(json) : "{}";
    return new HarnessRun(
        process.exitValue(),
        Files.readString(output),
        JsonParser.parseString(rows).getAsJsonObject());
  }

  Stream<JsonObject> rows() {
    return StreamSupport.stream(json.getAsJsonArray("rows").spliterator(), false)
        .map(JsonElement::getAsJsonObject);
  }

  static String kernel(JsonObject row) {
    return row.get("kernel").getAsString();
  }

  /** Rows that failed, of these kernels and no others. */
  void failed(int wanted, String kernel, String why) {
    assertEquals(wanted, code, output);
    assertTrue(output.contains("FAIL  " + kernel + ": ") && output.contains(why), output);
    assertEquals(
        List.of(kernel),
        rows()
            .filter(row -> row.get("verdict").getAsString().equals("FAIL"))
            .map(HarnessRun::kernel)
            .distinct()
            .toList());
  }
}
