// SPDX-License-Identifier: Apache-2.0
package dev.weft.support;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.device.ChildJvm;
import java.io.IOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/** The programs of {@code docs/examples}, as the command's jar has them. */
public final class ExampleProgram {
  /** Where their sources are. */
  public static final Path FOLDER = Path.of(System.getProperty("weft.root"), "docs/examples");

  private ExampleProgram() {}

  /** Marks the test that checks what a program prints and draws; each program has one. */
  @Retention(RetentionPolicy.RUNTIME)
  @Target(ElementType.METHOD)
  public @interface Of {
    /** The program's class. */
    String value();
  }

  /** The names of all. */
  public static List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files
          .map(file -> file.getFileName().toString().replace(".java", ""))
          .sorted()
          .toList();
    }
  }

  /**
   * The lines that a program prints, in a JVM of its own: in this one the best device may be an
   * emulated GPU, and what others print would be among them.
   */
  public static List<String> run(String name, Object... arguments) throws Exception {
    ChildJvm java = new ChildJvm(Class.forName(name, false, ChildJvm.class.getClassLoader()));
    String data = System.getenv("WEFT_DATA");
    if (data != null) {
      java.variable("WEFT_DATA", data);
    }
    String[] words = Stream.of(arguments).map(Object::toString).toArray(String[]::new);
    return java.run(words).strip().lines().toList();
  }

  /** A picture that must be well-formed and say these words, in texts or titles. */
  public static Document picture(Path file, String... words) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
    Document picture = factory.newDocumentBuilder().parse(file.toFile());
    List<String> texts = texts(picture);
    for (String word : words) {
      assertTrue(texts.contains(word), () -> file + ": '" + word + "' is not in " + texts);
    }
    return picture;
  }

  /** The words of a picture. */
  public static List<String> texts(Document picture) {
    return Stream.of("title", "desc", "text")
        .map(picture::getElementsByTagName)
        .flatMap(ExampleProgram::stream)
        .toList();
  }

  private static Stream<String> stream(NodeList nodes) {
    return IntStream.range(0, nodes.getLength())
        .mapToObj(i -> nodes.item(i).getTextContent().strip());
  }

  /** What its elements are named, as a pointer over them shows. */
  public static List<String> titles(Document picture) {
    return stream(picture.getElementsByTagName("title")).toList();
  }
}
