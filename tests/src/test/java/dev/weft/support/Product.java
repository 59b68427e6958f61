// SPDX-License-Identifier: Apache-2.0
package dev.weft.support;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;

/** The classes of Weft itself, without those of the tests. */
public final class Product {
  private Product() {}

  /** All classes of a package and those below it, without the benchmarks. */
  public static JavaClasses classes(String name) {
    return importer()
        .withImportOption(location -> !location.contains("/dev/weft/bench/"))
        .importPackages(name);
  }

  /** The same, with the benchmarks. */
  public static JavaClasses classesAndBenchmarks(String name) {
    return importer().importPackages(name);
  }

  private static ClassFileImporter importer() {
    String tests = Product.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    return new ClassFileImporter().withImportOption(location -> !location.contains(tests));
  }
}
