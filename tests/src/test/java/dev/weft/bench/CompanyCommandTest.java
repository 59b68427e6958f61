// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.bench.report.Company;
import dev.weft.bench.report.Results;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompanyCommandTest {
  @Test
  void aRowIsMeasuredInCompany(@TempDir Path folder) throws IOException {
    Path json = folder.resolve("company.json");
    String[] command = {
      "company",
      "--quick",
      "--turns",
      "2",
      "--only",
      "^one busy core, 784-100",
      "--json",
      json.toString()
    };
    assertEquals(0, Main.run(command), "a target that is missed is no failure");
    Results results = Results.read(json);
    assertTrue(results.command().startsWith("weft bench company --quick"), results.command());
    assertEquals(1, results.company().size());
    Company row = results.company().getFirst();
    assertEquals("one busy core, 784-100-100-10 batch 64, Weft STRICT", row.name());
    assertEquals(2, row.first().size());
    assertEquals(2, row.second().size());
    assertTrue(row.figure().lowest() > 0, row::text);
  }

  @Test
  void wrongUseIsSaid() {
    assertEquals(2, Main.run("company", "--turns", "-1"));
    assertEquals(2, Main.run("company", "--peer", "none,djl"));
    assertEquals(2, Main.run("company", "--peer", "nobody"));
    assertEquals(2, Main.run("company", "--only", "no such row"));
  }
}
