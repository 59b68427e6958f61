// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import static dev.weft.format.Format.format;

import dev.weft.device.DeviceUnavailableException;
import dev.weft.device.NativeFiles;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import jcuda.JCudaVersion;
import jcuda.LibUtils;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import org.jspecify.annotations.Nullable;

/**
 * The libraries that CUDA needs on this machine: the driver ({@code libcuda.so.1}) and cuBLAS 12,
 * or cuBLAS 13 behind Weft's forwarding library. JCuda's natives find them because they are loaded
 * first.
 *
 * <p>{@code WEFT_CUBLAS} (or the system property {@code weft.cublas}) names a cuBLAS outright,
 * version 12 or 13. {@code WEFT_CUDA_DRIVER} ({@code weft.cuda.driver}) names a driver; that is for
 * tests and unusual installs. A property goes before a variable.
 */
public final class CudaLibraries {

  /**
   * A part that CUDA needs, and where it was found.
   *
   * @param what such as {@code NVIDIA driver (libcuda.so.1)}
   * @param path the file, or the resource of the class path; null where the part is missing
   * @param how how it was found, or why it was not and where it was sought
   */
  public record Found(String what, @Nullable Path path, String how) {
    /** Whether the part is there. */
    public boolean present() {
      return path != null;
    }
  }

  private static @Nullable Found driver;
  private static @Nullable Found cublas;

  private CudaLibraries() {}

  /**
   * Looks for every part, as opening a device would, and never throws for one that is missing. What
   * is found stays loaded.
   */
  public static synchronized List<Found> report() {
    List<Found> parts = new ArrayList<>();
    parts.add(findDriver());
    parts.add(findCublas());
    parts.add(resource("JCuda", jcudaFile("JCudaDriver")));
    parts.add(resource("JCublas", jcudaFile("JCublas2")));
    KernelImages kernels = KernelImages.read();
    Path where = kernels.isEmpty() ? null : Path.of(KernelImages.INDEX).getParent();
    parts.add(new Found("Weft's CUDA kernels", where, kernels.toString()));
    parts.add(resource("forwarding library for cuBLAS 13", CublasForwarder.RESOURCE));
    return parts;
  }

  /**
   * Libraries that CUDA needs, as resources of the class path: JCuda's and Weft's own. Those that
   * this build lacks are left out.
   */
  public static List<String> resources() {
    return Stream.of(jcudaFile("JCudaDriver"), jcudaFile("JCublas2"), CublasForwarder.RESOURCE)
        .filter(NativeFiles::has)
        .toList();
  }

  /** Weft's kernels and the list of them, likewise; none where this build has none. */
  public static List<String> kernelResources() {
    return KernelImages.read().resources().filter(NativeFiles::has).toList();
  }

  /** The CUDA release that compiled the kernels of this build, such as 13.0; empty without them. */
  public static Optional<String> kernelsCompiledBy() {
    return Optional.of(KernelImages.read().release()).filter(release -> !release.isEmpty());
  }

  /** What the kernels of this build are for: {@code sm_90, PTX 9.0 by CUDA 13.0}. */
  public static String kernels() {
    return KernelImages.read().toString();
  }

  /** A class of each of JCuda's jars. */
  public static List<Class<?>> jcudaClasses() {
    return List.of(JCudaDriver.class, JCublas2.class);
  }

  private static Found resource(String what, String resource) {
    return NativeFiles.has(resource)
        ? new Found(what, Path.of(resource), "on the class path")
        : new Found(what, null, resource + " is not on the class path");
  }

  /** Whether the user named the driver outright. */
  static boolean driverIsNamed() {
    return LibrarySearch.named("WEFT_CUDA_DRIVER", "weft.cuda.driver") != null;
  }

  /**
   * Loads the driver and then JCuda's library over it.
   *
   * @param touch runs the static initialiser of JCuda's class
   */
  static synchronized void loadDriver(Runnable touch) {
    require(findDriver());
    loadJcuda("JCudaDriver", touch);
  }

  /**
   * Loads cuBLAS and then JCublas' library over it.
   *
   * @param touch runs the static initialiser of JCublas' class
   */
  static synchronized void loadCublas(Runnable touch) {
    require(findCublas());
    loadJcuda("JCublas2", touch);
  }

  /** The cuBLAS in use. */
  static synchronized @Nullable Path cublas() {
    return findCublas().path();
  }

  private static void require(Found found) {
    if (!found.present()) {
      throw new DeviceUnavailableException(
          format("CUDA was asked for, but there is no usable %s: %s", found.what(), found.how()));
    }
  }

  private static Found findDriver() {
    if (driver == null || !driver.present()) {
      String what = "NVIDIA driver (libcuda.so.1)";
      LibrarySearch search = new LibrarySearch();
      String named = LibrarySearch.named("WEFT_CUDA_DRIVER", "weft.cuda.driver");
      Path path =
          named != null
              ? search.loadNamed(Path.of(named))
              : search.load("libcuda.so.1", LibrarySearch.driverFolders());
      driver = new Found(what, path, search.account());
    }
    return driver;
  }

  private static Found findCublas() {
    // with the forwarding library loaded, whatever asks for a libcublas.so.12 gets that one
    if (cublas == null || !cublas.present() && !CublasForwarder.isLoaded()) {
      String named = LibrarySearch.named("WEFT_CUBLAS", "weft.cublas");
      cublas = named != null ? namedCublas(Path.of(named)) : soughtCublas();
    }
    return cublas;
  }

  private static Found namedCublas(Path file) {
    LibrarySearch search = new LibrarySearch();
    if (LibrarySearch.realName(file).startsWith("libcublas.so.13")) {
      return behindForwarder(search, search.loadNamedWithSibling(file, "libcublasLt.so.13"));
    }
    Path path = search.loadNamedWithSibling(file, "libcublasLt.so.12");
    return new Found("cuBLAS (libcublas.so.12)", path, search.account());
  }

  private static Found soughtCublas() {
    LibrarySearch search = new LibrarySearch();
    List<Path> folders = LibrarySearch.cublasFolders();
    Path path = search.load("libcublas.so.12", folders, "libcublasLt.so.12");
    if (path != null) {
      return new Found("cuBLAS (libcublas.so.12)", path, search.account());
    }
    path = search.load("libcublas.so.13", folders, "libcublasLt.so.13");
    if (path != null) {
      return behindForwarder(search, path);
    }
    String how =
        format(
            "%s, Python's nvidia/*/lib folders under %s; WEFT_CUBLAS can name the file",
            search.account(), LibrarySearch.pythonPrefixes());
    return new Found("cuBLAS (libcublas.so.12 or libcublas.so.13)", null, how);
  }

  private static Found behindForwarder(LibrarySearch search, @Nullable Path cublas13) {
    String what = "cuBLAS (libcublas.so.13)";
    if (cublas13 == null) {
      return new Found(what, null, search.account());
    }
    String failure = CublasForwarder.load(cublas13);
    return failure != null
        ? new Found(what, null, failure)
        : new Found(what, cublas13, search.account() + ", behind Weft's libcublas.so.12");
  }

  private static String jcudaFile(String name) {
    String library = LibUtils.createPlatformLibraryName(name + "-" + JCudaVersion.get());
    return "lib/" + LibUtils.createLibraryFileName(library);
  }

  /**
   * JCuda unpacks its library into {@code java.io.tmpdir} under a fixed name and loads what it
   * finds there, be it half a file of another process that starts or a file of another user. So it
   * is shown the folder where the library is unpacked already.
   */
  private static void loadJcuda(String name, Runnable touch) {
    String resource = jcudaFile(name);
    Path file;
    try {
      file = NativeFiles.file(resource);
    } catch (UncheckedIOException e) {
      throw new DeviceUnavailableException(e.getMessage(), e);
    }
    if (file == null) {
      throw new DeviceUnavailableException(
          format(
              "%s is not on the class path: JCuda has no natives for %s in this build",
              resource, NativeFiles.platform()));
    }
    String folder = System.getProperty("java.io.tmpdir");
    System.setProperty("java.io.tmpdir", file.toAbsolutePath().resolveSibling("").toString());
    try {
      touch.run();
    } catch (LinkageError | jcuda.CudaException e) {
      throw new DeviceUnavailableException(
          format("%s does not load: %s", file, NativeFiles.whyNotLoaded(file, e.toString())), e);
    } finally {
      System.setProperty("java.io.tmpdir", folder);
    }
  }
}
