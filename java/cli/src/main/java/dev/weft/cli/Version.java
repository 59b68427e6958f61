// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import picocli.CommandLine;

/** The version of this command and of what it runs on. */
final class Version implements CommandLine.IVersionProvider {

  /** Weft's own, from its jar. */
  static String weft() {
    String version = Main.class.getPackage().getImplementationVersion();
    return version == null ? "unpackaged" : version;
  }

  /** Java's and the system's. */
  static String platform() {
    return format(
        "Java %s, %s %s %s",
        Runtime.version(),
        System.getProperty("os.name"),
        System.getProperty("os.version"),
        System.getProperty("os.arch"));
  }

  @Override
  public String[] getVersion() {
    return new String[] {"weft " + weft(), platform()};
  }
}
