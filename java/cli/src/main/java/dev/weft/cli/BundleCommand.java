// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static java.util.Locale.ROOT;

import com.google.gson.Gson;
import dev.weft.Device;
import dev.weft.device.NativeFiles;
import dev.weft.device.cpu.CpuLibrary;
import dev.weft.device.cuda.CudaLibraries;
import dev.weft.report.Plot;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import org.jline.utils.WCWidth;
import org.tukaani.xz.XZ;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code weft bundle}. */
@Command(
    name = "bundle",
    mixinStandardHelpOptions = true,
    description = {
      "Makes a folder that holds Weft and the Java that it needs.",
      "It runs on a machine with no JDK, of the same system and processor as this one, also from"
          + " where nothing can be written. Libraries are unpacked at the first start, into"
          + " WEFT_CACHE or ~/.cache/weft."
    },
    footer = {
      "",
      "Examples:",
      "  weft bundle",
      "  weft bundle --out /tmp/weft && /tmp/weft/bin/weft train",
      "  weft bundle --with-bench && bundle/bin/weft bench kernels --quick"
    })
final class BundleCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "bundle",
      description = "The folder; one that a bundle is in is replaced. Default: ${DEFAULT-VALUE}.")
  private Path folder;

  @Option(
      names = "--with-bench",
      description = {
        "Also the benchmarks of Weft itself, without those of other libraries, and in harness/ the"
            + " program that checks and times the CUDA kernels without Java, in bench/ the script"
            + " that runs all of it on a machine with a GPU."
      })
  private boolean withBench;

  @Override
  public Integer call() throws IOException {
    final PrintWriter out = main.screen().out();
    BundleFolder bundle = new BundleFolder(folder);
    bundle.check();
    JavaImage.check();
    List<Path> bench = withBench ? BenchJars.find(CudaLibraries.kernelsCompiledBy()) : List.of();
    make(bundle, bench);
    out.printf(
        ROOT,
        "%s: %.1f MB; run %s%n",
        folder,
        bundle.bytes() / 1e6,
        folder.resolve("bin").resolve("weft"));
    return Main.SUCCESS;
  }

  private void make(BundleFolder bundle, List<Path> bench) throws IOException {
    PrintWriter out = main.screen().out();
    try (BundleFolder.Draft draft = bundle.draft()) {
      out.println("Java's part: jlink");
      JavaImage.make(draft.path().resolve("java"), withBench ? BenchJars.MODULES : List.of());
      out.println("libraries: packed small, which takes a minute or two");
      Path lib = Files.createDirectory(draft.path().resolve("lib"));
      for (Class<?> part : classes()) {
        ClassJar.copy(part, lib);
      }
      for (Path jar : bench) {
        ClassJar.copy(jar, lib);
      }
      if (withBench) {
        BenchJars.copyHarness(draft.path().resolve("harness"));
        BenchJars.copyScript(draft.path().resolve("bench"));
      }
      NativeJar.write(lib.resolve("natives.jar"), natives());
      copyKernels(lib);
      ClassJar.copyNotices(Main.class, draft.path());
      draft.launcher();
      // the launcher knows what the sources were
      String commit = System.getProperty("weft.commit", "");
      draft.publish(Version.weft() + (commit.isEmpty() ? "" : ", commit " + commit));
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      // the system's words for a full disk name no file
      throw new IOException(folder + ": " + Explanation.of(e), e);
    }
  }

  /** As they are and beside the jars, since the harness reads them, too, without Java. */
  private static void copyKernels(Path lib) throws IOException {
    for (String resource : CudaLibraries.kernelResources()) {
      Path copy = lib.resolve(resource);
      Files.createDirectories(copy.getParent());
      try (InputStream in = NativeFiles.open(resource)) {
        Files.copy(in, copy);
      }
    }
  }

  /** A class of every jar that is needed. */
  static List<Class<?>> classes() {
    List<Class<?>> classes = new ArrayList<>(CudaLibraries.jcudaClasses());
    classes.addAll(
        List.of(
            Main.class,
            Device.class,
            Plot.class, // SVG needs no more of Java than Weft does
            Gson.class,
            CommandLine.class,
            ProgressBar.class,
            WCWidth.class,
            XZ.class));
    return classes;
  }

  /** The libraries that are loaded, of all that the jars of their makers hold. */
  static List<String> natives() {
    List<String> parts = new ArrayList<>(CpuLibrary.resources());
    parts.addAll(CudaLibraries.resources());
    return parts;
  }
}
