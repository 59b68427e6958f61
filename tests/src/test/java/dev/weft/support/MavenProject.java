// SPDX-License-Identifier: Apache-2.0
package dev.weft.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/**
 * A project somewhere else that depends on Weft, built offline by the Maven that runs these tests.
 * Its repository has links to what this machine's has, and a Weft of its own.
 */
public final class MavenProject implements AutoCloseable {
  private static final Path ROOT = Path.of(System.getProperty("weft.root"));
  private static final long MINUTES = 2;

  private final Path folder;
  private final Path repository;
  private final List<Path> links = new ArrayList<>();
  private final String parent = Files.readString(ROOT.resolve("pom.xml"));
  private final String version = found("<version>(.*?)</version>");

  /** A project in a folder, with dependencies as its pom says them. */
  public MavenProject(Path folder, String dependencies) throws IOException {
    this.folder = folder;
    this.repository = Files.createDirectory(folder.resolve("repository"));
    Path theirs = repository();
    link(theirs, repository, "dev");
    link(theirs.resolve("dev"), Files.createDirectory(repository.resolve("dev")), "weft");
    Files.writeString(
        folder.resolve("pom.xml"),
        """
        <project>
          <modelVersion>4.0.0</modelVersion>
          <groupId>somebody</groupId>
          <artifactId>project</artifactId>
          <version>1</version>
          <properties>
            <maven.compiler.release>25</maven.compiler.release>
            <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
          </properties>
          <dependencies>
        %s
          </dependencies>
          <build>
            <plugins>
              <plugin>
                <groupId>org.apache.maven.plugins</groupId>
                <artifactId>maven-compiler-plugin</artifactId>
                <version>%s</version>
              </plugin>
              <plugin>
                <groupId>org.codehaus.mojo</groupId>
                <artifactId>exec-maven-plugin</artifactId>
                <version>%s</version>
                <configuration>
                  <executable>${java.home}/bin/java</executable>
                  <arguments>
                    <argument>--enable-native-access=ALL-UNNAMED</argument>
                    <argument>--illegal-native-access=deny</argument>
                    <argument>-cp</argument>
                    <classpath/>
                    <argument>${main}</argument>
                  </arguments>
                </configuration>
              </plugin>
            </plugins>
          </build>
        </project>
        """
            .formatted(
                dependencies,
                found("<compiler-plugin.version>(.*?)<"),
                found("<exec-plugin.version>(.*?)<")));
  }

  /** Where the library that runs this test was taken from. */
  private static Path repository() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(entry -> entry.contains("/org/junit/jupiter/"))
        .map(entry -> Path.of(entry.substring(0, entry.indexOf("/org/junit/jupiter/"))))
        .findFirst()
        .orElseThrow();
  }

  private void link(Path from, Path to, String except) throws IOException {
    try (Stream<Path> entries = Files.list(from)) {
      for (Path entry : entries.toList()) {
        if (!entry.endsWith(except)) {
          links.add(Files.createSymbolicLink(to.resolve(entry.getFileName()), entry));
        }
      }
    }
  }

  private String found(String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(parent);
    assertTrue(matcher.find(), pattern);
    return matcher.group(1);
  }

  /** Adds a class of no package. */
  public void source(String name, String text) throws IOException {
    Path sources = Files.createDirectories(folder.resolve("src/main/java"));
    Files.writeString(sources.resolve(name + ".java"), text);
  }

  private Path published(String artifact, String type) throws IOException {
    Path place = repository.resolve(Path.of("dev/weft", artifact, version));
    return Files.createDirectories(place).resolve(artifact + "-" + version + "." + type);
  }

  /** Puts a pom into its repository, over one that is there. */
  public void installPom(String artifact, String pom) throws IOException {
    Files.writeString(published(artifact, "pom"), pom);
  }

  /** Puts a jar into its repository, or one made of a folder of classes. */
  public void installJar(String artifact, Path classes) throws IOException {
    Path jar = published(artifact, "jar");
    if (Files.isRegularFile(classes)) {
      Files.copy(classes, jar, StandardCopyOption.REPLACE_EXISTING);
    } else {
      ToolProvider tool = ToolProvider.findFirst("jar").orElseThrow();
      assertEquals(
          0, tool.run(System.out, System.err, "-c", "-f", jar + "", "-C", classes + "", "."));
    }
  }

  /** Compiles it and runs a class; what that printed. */
  public String compileAndRun(String main) throws IOException, InterruptedException {
    String home = System.getProperty("weft.maven");
    Path output = folder.resolve("output.txt");
    ProcessBuilder maven =
        new ProcessBuilder(
                List.of(
                    home == null ? "mvn" : Path.of(home, "bin/mvn").toString(),
                    "-B",
                    "-q",
                    "-o",
                    "-Dmaven.repo.local=" + repository,
                    "-Dmain=" + main,
                    "compiler:compile",
                    "exec:exec"))
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    maven.environment().keySet().removeIf(name -> name.matches("(MAVEN|JAVA)_.*"));
    maven.environment().put("JAVA_HOME", System.getProperty("java.home"));
    maven.environment().put("MAVEN_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
    Process process = maven.start();
    boolean ended = process.waitFor(MINUTES, TimeUnit.MINUTES);
    process.destroyForcibly();
    String said = Files.readString(output).replaceAll("\u001b\\[[0-9;]*m", "").strip();
    assertTrue(ended, () -> "ran for more than " + MINUTES + " minutes: " + said);
    assertEquals(0, process.exitValue(), said);
    return said;
  }

  /** Takes away the links to what this machine's repository has. */
  @Override
  public void close() throws IOException {
    for (Path link : links) {
      Files.delete(link);
    }
  }
}
