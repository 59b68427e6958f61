// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.support.Beside;
import dev.weft.support.MavenProject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Node;

/** What others get: a project of their own depends on the jar and the poms, and trains. */
@Beside
class PublishedTest {
  private static final Path ROOT = Path.of(System.getProperty("weft.root"));
  private static final Path CORE_POM = ROOT.resolve("java/core/pom.xml");
  private static final Pattern DEPENDENCY = Pattern.compile("(?s)```xml\n(<dependency>.*?)```");

  @TempDir Path folder;

  /** The README's first program, with the dependency that the README names. */
  private MavenProject project(String corePom) throws IOException {
    String readme = Files.readString(ROOT.resolve("README.md"));
    MatchResult dependency = DEPENDENCY.matcher(readme).results().findFirst().orElseThrow();
    String program = ReadmeTest.examples().getFirst().replace("60_000", "600");
    assertTrue(program.contains("(600"), program);
    MavenProject project = new MavenProject(folder, dependency.group(1));
    project.source("First", ReadmeTest.program("First", program));
    project.installPom("weft-parent", Files.readString(ROOT.resolve("pom.xml")));
    project.installPom("weft-core", corePom);
    project.installJar("weft-core", core());
    return project;
  }

  private static Path core() {
    return Path.of(Device.class.getProtectionDomain().getCodeSource().getLocation().getPath());
  }

  @Test
  void aProjectThatDependsOnTheLibraryTrainsANetwork() throws Exception {
    try (MavenProject project = project(Files.readString(CORE_POM))) {
      String said = project.compileAndRun("First");
      double accuracy = Double.parseDouble(said.lines().reduce((a, b) -> b).orElseThrow());
      assertTrue(accuracy > 0.2 && accuracy <= 1, said);
      assertTrue(Files.size(folder.resolve("digits.safetensors")) > 4 * 784 * 512);
    }
  }

  @Test
  void aDependencyThatIsNotPassedOnIsNoticed() throws Exception {
    String pom = Files.readString(CORE_POM);
    String gson = "<version>${gson.version}</version>";
    assertTrue(pom.contains(gson));
    try (MavenProject project = project(pom.replace(gson, gson + "<scope>provided</scope>"))) {
      AssertionError e = assertThrows(AssertionError.class, () -> project.compileAndRun("First"));
      assertTrue(e.getMessage().contains("com/google/gson"), e.getMessage());
    }
  }

  @Test
  void theJarNamesItsModuleAndMayCallNativeCode() throws IOException {
    assumeTrue(Files.isRegularFile(core()), "mvn test makes no jar; mvn verify does");
    try (JarFile jar = new JarFile(core().toFile())) {
      Attributes manifest = jar.getManifest().getMainAttributes();
      assertEquals("dev.weft.core", manifest.getValue("Automatic-Module-Name"));
      assertEquals("ALL-UNNAMED", manifest.getValue("Enable-Native-Access"));
    }
  }

  private static List<String> missing(Document pom, String... elements) {
    return List.of(elements).stream().filter(element -> text(pom, element).isEmpty()).toList();
  }

  /** The text of a path of elements below project, as {@code scm/url}; empty where it is not. */
  private static String text(Document pom, String path) {
    Node at = pom.getDocumentElement();
    for (String name : path.split("/")) {
      Node child = at.getFirstChild();
      while (child != null && !child.getNodeName().equals(name)) {
        child = child.getNextSibling();
      }
      if (child == null) {
        return "";
      }
      at = child;
    }
    return at.getTextContent().strip();
  }

  private static Document pom(Path file) throws Exception {
    return DocumentBuilderFactory.newDefaultInstance().newDocumentBuilder().parse(file.toFile());
  }

  /** Of the parent, which its modules inherit from. */
  @Test
  void thePomsSayWhatMavenCentralAsksFor() throws Exception {
    Document parent = pom(ROOT.resolve("pom.xml"));
    assertEquals(
        List.of("description/none"),
        missing(
            parent,
            "name",
            "description",
            "description/none",
            "url",
            "licenses/license/name",
            "licenses/license/url",
            "developers/developer/name",
            "scm/connection",
            "scm/url"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"java/core", "java/report", "java/cli"})
  void modulesSayWhatTheyAre(String module) throws Exception {
    Document pom = pom(ROOT.resolve(module).resolve("pom.xml"));
    assertEquals(List.of(), missing(pom, "name", "description"));
    assertFalse(text(pom, "parent/version").isEmpty());
  }
}
