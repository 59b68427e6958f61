// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static java.util.stream.Collectors.toCollection;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.library.Architectures.LayeredArchitecture;
import dev.weft.op.Operation;
import dev.weft.support.Beside;
import dev.weft.support.Product;
import java.io.IOException;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** Imports run downward, and every door has one keeper. */
@Beside
class ArchitectureTest {
  private static final JavaClasses CLASSES = Product.classes("dev.weft");

  private static LayeredArchitecture layers() {
    return layeredArchitecture()
        .consideringOnlyDependenciesInAnyPackage("dev.weft..")
        .withOptionalLayers(true)
        .layer("cli")
        .definedBy("dev.weft.cli..")
        .layer("train")
        .definedBy("dev.weft.train..")
        .layer("text")
        .definedBy("dev.weft.text..")
        .layer("embed")
        .definedBy("dev.weft.embed..")
        .layer("check")
        .definedBy("dev.weft.check..")
        .layer("profile")
        .definedBy("dev.weft.profile..")
        .layer("nn")
        .definedBy("dev.weft.nn..")
        .layer("optim")
        .definedBy("dev.weft.optim..")
        .layer("data")
        .definedBy("dev.weft.data..")
        .layer("io")
        .definedBy("dev.weft.io..")
        .layer("tensors")
        .definedBy("dev.weft", "dev.weft.op..")
        .layer("device")
        .definedBy("dev.weft.device..");
  }

  /** What is settled when an operation is made, and cannot change. */
  private static boolean isSetting(Field field) {
    Class<?> type = field.getType();
    return Modifier.isFinal(field.getModifiers())
        && (type.isPrimitive()
            || type.isEnum()
            || SETTINGS.contains(type)
            || field.getGenericType().getTypeName().equals(INTEGERS));
  }

  private static final String INTEGERS = "java.util.List<java.lang.Integer>";

  private static final Set<Class<?>> SETTINGS = Set.of(Shape.class, OptionalInt.class);

  /** The fields in which an operation could remember something of one application. */
  private static List<String> state(Class<?> operation) {
    return Stream.of(operation.getDeclaredFields())
        .filter(field -> !Modifier.isStatic(field.getModifiers()) && !isSetting(field))
        .map(field -> operation.getSimpleName() + "." + field.getName())
        .toList();
  }

  @Test
  void operationsHoldSettingsAndNoState() {
    List<JavaClass> operations =
        CLASSES.stream()
            .filter(type -> type.isAssignableTo(Operation.class) && !type.isInterface())
            .toList();
    assertFalse(operations.isEmpty());
    assertEquals(
        List.of(), operations.stream().flatMap(type -> state(type.reflect()).stream()).toList());
  }

  private record Remembering(double rate, Shape shape, Tensor mask, long[] sizes) {}

  @Test
  void stateOfAnOperationIsNoticed() {
    assertEquals(List.of("Remembering.mask", "Remembering.sizes"), state(Remembering.class));
  }

  @Test
  void importsRunDownward() {
    layers()
        .whereLayer("cli")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("train")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("text")
        .mayOnlyBeAccessedByLayers("cli", "embed", "nn")
        .whereLayer("embed")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("check")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("profile")
        .mayOnlyBeAccessedByLayers("cli", "train", "text")
        .whereLayer("nn")
        .mayOnlyBeAccessedByLayers("cli", "train", "text", "check", "optim")
        .whereLayer("optim")
        .mayOnlyBeAccessedByLayers("cli", "train", "text", "check")
        .whereLayer("data")
        .mayOnlyBeAccessedByLayers("cli", "train", "text", "check", "nn")
        .check(CLASSES);
  }

  /**
   * A tape applies operations; they know of it what a {@link Node} says, and make tangents of
   * {@link Operations}.
   */
  @Test
  void operationsKnowNothingOfTapes() {
    noClasses()
        .that()
        .resideInAPackage("dev.weft.op..")
        .should()
        .dependOnClassesThat()
        .belongToAnyOf(Tape.class, Tangents.class, Gradients.class)
        .check(CLASSES);
  }

  @Test
  void filesKnowNothingOfTensors() {
    noClasses()
        .that()
        .resideInAPackage("dev.weft.io..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.weft", "dev.weft.op..", "dev.weft.device..", "dev.weft.nn..")
        .check(CLASSES);
  }

  /** A tape tells them what it has recorded. */
  @Test
  void graphsKnowNothingButFilesAndFormats() {
    noClasses()
        .that()
        .resideInAPackage("dev.weft.graph..")
        .should()
        .dependOnClassesThat(
            com.tngtech.archunit.base.DescribedPredicate.describe(
                "of Weft outside the packages graph, io and format",
                type ->
                    type.getPackageName().startsWith("dev.weft")
                        && !type.getPackageName().matches("dev\\.weft\\.(graph|io|format)")))
        .check(CLASSES);
  }

  @Test
  void textKnowsNothingButFilesAndFormats() {
    noClasses()
        .that()
        .resideInAPackage("dev.weft.text..")
        .should()
        .dependOnClassesThat(
            com.tngtech.archunit.base.DescribedPredicate.describe(
                "of Weft outside the packages text, io and format",
                type ->
                    type.getPackageName().startsWith("dev.weft")
                        && !type.getPackageName().matches("dev\\.weft\\.(text|io|format)")))
        .check(CLASSES);
  }

  @Test
  void theProductKnowsNothingOfItsBenchmarks() {
    JavaClasses all = Product.classesAndBenchmarks("dev.weft");
    assertTrue(all.size() > CLASSES.size(), "the benchmarks are on the class path");
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.weft.bench..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.weft.bench..")
        .check(all);
  }

  @Test
  void deviceKnowsNothingAboveIt() {
    noClasses()
        .that()
        .resideInAPackage("dev.weft.device..")
        .should()
        .dependOnClassesThat(
            com.tngtech.archunit.base.DescribedPredicate.describe(
                "of Weft outside the packages device and format",
                type ->
                    type.getPackageName().startsWith("dev.weft")
                        && !type.getPackageName().startsWith("dev.weft.device")
                        && !type.getPackageName().equals("dev.weft.format")))
        .check(CLASSES);
  }

  @Test
  void onlyTheCudaPackageKnowsJcuda() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.weft.device.cuda..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("jcuda..")
        .check(CLASSES);
  }

  @Test
  void oneClassCallsEachNativeLibrary() {
    assertEquals(Set.of("Cublas"), callersOf("jcuda.jcublas.JCublas2", ""));
    assertEquals(1, callersOf("jcuda.driver.JCudaDriver", "cuLaunchKernel").size());
    // the kernels, cuBLAS 12 over 13, a terminal's width, a signal
    assertEquals(
        Set.of("CpuLibrary", "CublasForwarder", "StandardOutput", "Interruption"),
        callersOf("java.lang.foreign.Linker", ""));
  }

  /** The check above must see what is there: the driver is called from more than one class. */
  @Test
  void callersAreFound() {
    assertTrue(callersOf("dev.weft.format.Format", "format").size() > 10);
  }

  @Test
  void everythingThatCanBeClosedIsInTheTablesOfWhatAnotherThreadTriesToClose() {
    Set<String> closeable = new TreeSet<>();
    for (JavaClass type : CLASSES) {
      if (type.isAssignableTo(AutoCloseable.class)
          && !type.isInterface()
          && !type.getModifiers().contains(JavaModifier.ABSTRACT)) {
        closeable.add(type.getName().substring("dev.weft.".length()));
      }
    }
    assertEquals(RefusedCloseTest.closedHere(), closeable);
  }

  private static Set<String> callersOf(String owner, String methodPrefix) {
    Set<String> callers = new TreeSet<>();
    for (JavaClass type : CLASSES) {
      boolean calls =
          type.getMethodCallsFromSelf().stream()
              .anyMatch(
                  call ->
                      call.getTargetOwner().getName().equals(owner)
                          && call.getName().startsWith(methodPrefix));
      if (calls) {
        callers.add(outermost(type).getSimpleName());
      }
    }
    return callers;
  }

  private static JavaClass outermost(JavaClass type) {
    return type.getEnclosingClass().map(ArchitectureTest::outermost).orElse(type);
  }

  @Test
  void everyPackageSaysWhatItIsFor() throws IOException {
    Path root = Path.of(System.getProperty("weft.root", "."));
    for (String sources :
        List.of("java/core/src/main/java", "java/report/src/main/java", "java/cli/src/main/java")) {
      try (Stream<Path> files = Files.walk(root.resolve(sources))) {
        List<Path> missing =
            files
                .filter(file -> file.toString().endsWith(".java"))
                .map(Path::getParent)
                .distinct()
                .filter(folder -> !Files.exists(folder.resolve("package-info.java")))
                .toList();
        assertEquals(List.of(), missing);
      }
    }
  }

  /** What the build checks is what is marked. */
  @Test
  void everyPackageSaysWhatMayBeNull() {
    List<String> unmarked =
        CLASSES.stream()
            .map(JavaClass::getPackage)
            .filter(each -> !each.isAnnotatedWith(NullMarked.class))
            .map(JavaPackage::getName)
            .distinct()
            .sorted()
            .toList();
    assertEquals(List.of(), unmarked);
  }

  @Test
  void namesSayWhatAClassIs() {
    classes()
        .that()
        .areTopLevelClasses()
        .should()
        .haveNameNotMatching(".*(Util|Utils|Helper|Impl|Manager|Base|Ex)$")
        .check(CLASSES);
  }

  /** The names that more than one public class has. */
  private static Set<String> sharedNames(JavaClasses classes) {
    Set<String> seen = new TreeSet<>();
    return classes.stream()
        .filter(type -> type.isTopLevelClass() && type.getModifiers().contains(JavaModifier.PUBLIC))
        .map(JavaClass::getSimpleName)
        .filter(name -> !seen.add(name))
        .collect(toCollection(TreeSet::new));
  }

  @Test
  void noTwoPublicClassesShareAName() {
    assertEquals(Set.of(), sharedNames(CLASSES));
  }

  /** Two programs have a main class each. */
  @Test
  void sharedNamesAreNoticed() {
    assertEquals(Set.of("Main"), sharedNames(Product.classesAndBenchmarks("dev.weft")));
  }

  /** The types of a method that are of the engine. */
  private static Stream<Class<?>> engineTypes(Executable method) {
    Stream<Class<?>> given =
        method instanceof Method one ? Stream.of(one.getReturnType()) : Stream.empty();
    return Stream.concat(given, Stream.of(method.getParameterTypes()))
        .filter(type -> type.getName().matches("dev\\.weft\\.(op|device)\\..*"));
  }

  /** Models, losses and layers are written without a word of the engine. */
  @Test
  void operationsOfUsersNameNothingOfTheEngine() {
    Set<String> naming = new TreeSet<>();
    for (Method method : Operations.class.getMethods()) {
      if (engineTypes(method).findAny().isPresent()) {
        naming.add(method.getName());
      }
    }
    // for who writes an operation, and for functions made of several
    assertEquals(Set.of("apply", "check"), naming);
  }

  /** What is public in a package and names the engine: class and method. */
  private static Set<String> namingTheEngine(String of) {
    Set<String> naming = new TreeSet<>();
    for (JavaClass type : CLASSES) {
      Class<?> found = type.reflect();
      if (!type.getPackageName().equals(of) || !isSeen(found)) {
        continue;
      }
      Stream.of(found.getMethods(), found.getConstructors())
          .flatMap(Stream::of)
          .filter(each -> engineTypes(each).findAny().isPresent())
          .forEach(each -> naming.add(found.getSimpleName() + "." + each.getName()));
    }
    return naming;
  }

  private static boolean isSeen(Class<?> type) {
    Class<?> outer = type.getDeclaringClass();
    return Modifier.isPublic(type.getModifiers()) && (outer == null || isSeen(outer));
  }

  @Test
  void layersAndLossesNameNothingOfTheEngine() {
    assertEquals(Set.of(), namingTheEngine("dev.weft.nn"));
    Set<String> engine = namingTheEngine("dev.weft.op");
    assertTrue(engine.contains("MatMul.operands"), engine::toString);
  }

  @Test
  void examplesImportNothingOfTheEngine() throws IOException {
    Path root = Path.of(System.getProperty("weft.root", "."));
    try (Stream<Path> files = Files.list(root.resolve("docs/examples"))) {
      List<Path> examples = files.toList();
      assertFalse(examples.isEmpty());
      for (Path example : examples) {
        String source = Files.readString(example);
        assertTrue(source.contains("import dev.weft."), example::toString);
        assertFalse(
            source.matches("(?s).*import dev\\.weft\\.(op|device)\\..*"), example::toString);
      }
    }
  }

  @Test
  void deviceIsSeenOnlyFromBelow() {
    noClasses()
        .that()
        .resideInAnyPackage("dev.weft.nn..", "dev.weft.data..", "dev.weft.train..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.weft.device.cpu..", "dev.weft.device.cuda..")
        .check(CLASSES);
    JavaPackage device = CLASSES.getPackage("dev.weft.device");
    assertFalse(device.getClasses().isEmpty());
  }
}
