// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** What a {@code THIRD-PARTY.txt} says: {@code library (licence): what it is}, and the texts. */
public final class ThirdParty {
  private static final Path TEXTS = Path.of(System.getProperty("weft.root"), "docs/licences");
  private static final Pattern ROW = Pattern.compile("(?m)^ *(.+) \\(([^)]+)\\): ");

  private ThirdParty() {}

  /**
   * The libraries, of paths of jars and of resources, that no row is about; Weft's own need none.
   */
  public static List<String> unnamed(String list, Collection<String> libraries) {
    List<String> named = ROW.matcher(list).results().map(row -> row.group(1)).toList();
    return libraries.stream()
        .filter(path -> !path.matches(".*(dev/weft/native/.*|/weft-[^/]*jar|/classes/)"))
        .filter(path -> !named.contains(name(path)))
        .toList();
  }

  private static String name(String path) {
    String file = path.substring(path.lastIndexOf('/') + 1);
    return file.replaceFirst("(-linux-x86_64)?\\.jar$", "").replaceFirst("\\.xz$", "");
  }

  /** The licences of rows whose text is not there in full. */
  public static List<String> withoutText(String list) throws IOException {
    TreeSet<String> licences = new TreeSet<>();
    ROW.matcher(list).results().map((MatchResult row) -> row.group(2)).forEach(licences::add);
    List<String> missing = new ArrayList<>();
    for (String licence : licences) {
      if (!list.contains(Files.readString(TEXTS.resolve(licence + ".txt")).strip())) {
        missing.add(licence);
      }
    }
    return missing;
  }
}
