// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.Tensor;
import dev.weft.TensorFunction;
import dev.weft.nn.Model;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A user's model or function, made by the public constructor without arguments of a class in jars
 * and folders. Its classes can be loaded until this is closed.
 */
final class UserClass implements AutoCloseable {
  private final String name;
  private final String classPath;
  private final URLClassLoader loader;

  /**
   * Opens the jars and folders.
   *
   * @param classPath as java's {@code -cp}, a star at the end of a folder aside
   * @throws IOException where there is no such file
   */
  UserClass(String name, String classPath) throws IOException {
    this.name = name;
    this.classPath = classPath;
    List<URL> places = new ArrayList<>();
    for (String place : classPath.split(File.pathSeparator)) {
      if (!Files.exists(Path.of(place))) {
        throw new NoSuchFileException(place);
      }
      places.add(Path.of(place).toUri().toURL());
    }
    this.loader = new URLClassLoader(places.toArray(URL[]::new), Main.class.getClassLoader());
  }

  /**
   * Makes a {@link Model} or a {@link TensorFunction}.
   *
   * @throws IllegalArgumentException where there is no such class, or it is neither
   * @throws IllegalStateException where it cannot be loaded or made
   */
  Object make() {
    Class<?> type = load();
    boolean fits = Model.class.isAssignableFrom(type);
    fits |= TensorFunction.class.isAssignableFrom(type);
    if (!fits && function(type) == null) {
      throw new IllegalArgumentException(
          format(
              "%s is no dev.weft.nn.Model or Layer and no dev.weft.check.TensorFunction, and"
                  + " has no public method Tensor apply(Operations, Tensor[])",
              name));
    }
    Method method = fits ? null : function(type);
    if (method != null && Modifier.isStatic(method.getModifiers())) {
      return (TensorFunction) (operations, in) -> apply(method, null, operations, in);
    }
    Object made = construct(type);
    return method == null
        ? made
        : (TensorFunction) (operations, in) -> apply(method, made, operations, in);
  }

  private Class<?> load() {
    try {
      return Class.forName(name, true, loader);
    } catch (ClassNotFoundException e) {
      throw new IllegalArgumentException(
          format(
              "there is no class %s in %s; it is named with its package, and a nested one with $",
              name, classPath),
          e);
    } catch (UnsupportedClassVersionError e) {
      throw new IllegalStateException(
          format(
              "%s was compiled for a newer Java than this one, %s",
              name, Runtime.version().feature()),
          e);
    } catch (ExceptionInInitializerError e) {
      throw thrown("a static initializer of " + name, Objects.requireNonNull(e.getCause()));
    } catch (LinkageError e) {
      throw unlinked(e);
    }
  }

  private IllegalStateException unlinked(LinkageError e) {
    String words =
        e instanceof NoClassDefFoundError
            ? format(
                "%s needs the class %s, which is not in %s",
                name, String.valueOf(e.getMessage()).replace('/', '.'), classPath)
            : format("%s cannot be loaded: %s", name, e);
    return new IllegalStateException(words, e);
  }

  private Object construct(Class<?> type) {
    int modifiers = type.getModifiers();
    if (Modifier.isAbstract(modifiers)) {
      throw new IllegalArgumentException(
          format("%s is %s: name a class that can be made", name, kind(type)));
    }
    Constructor<?> constructor;
    try {
      constructor = type.getConstructor();
    } catch (NoSuchMethodException e) {
      throw new IllegalArgumentException(
          format(
              "%s has no public constructor without arguments; %s: add one, or a class that has one"
                  + " and makes the other",
              name, constructors(type)),
          e);
    } catch (LinkageError e) {
      throw unlinked(e);
    }
    try {
      return constructor.newInstance();
    } catch (InvocationTargetException e) {
      Throwable cause = Objects.requireNonNull(e.getCause());
      throw cause instanceof LinkageError unlinked
          ? unlinked(unlinked)
          : thrown("the constructor of " + name, cause);
    } catch (IllegalAccessException e) {
      throw new IllegalArgumentException(
          format("%s is not public: a class must be, to be made from outside", name), e);
    } catch (InstantiationException e) {
      throw new IllegalStateException(e); // of an abstract class
    } catch (LinkageError e) {
      throw unlinked(e);
    }
  }

  private static String kind(Class<?> type) {
    return type.isInterface() ? "an interface" : "an abstract class";
  }

  private static String constructors(Class<?> type) {
    String all =
        Arrays.stream(type.getDeclaredConstructors())
            .map(
                each ->
                    Stream.of(each.getParameterTypes())
                        .map(Class::getSimpleName)
                        .collect(
                            Collectors.joining(
                                ", ",
                                (Modifier.isPublic(each.getModifiers()) ? "" : "non-public ")
                                    + type.getSimpleName()
                                    + "(",
                                ")")))
            .sorted()
            .collect(Collectors.joining(", "));
    return all.isEmpty() ? "it has none" : "there is " + all;
  }

  private static @Nullable Method function(Class<?> type) {
    try {
      Method method = type.getMethod("apply", Operations.class, Tensor[].class);
      return Tensor.class.isAssignableFrom(method.getReturnType()) ? method : null;
    } catch (NoSuchMethodException e) {
      return null;
    }
  }

  private Tensor apply(Method method, @Nullable Object on, Operations operations, Tensor[] in) {
    try {
      return (Tensor) method.invoke(on, operations, in);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof RuntimeException own) {
        throw own;
      }
      throw thrown(name + ".apply", Objects.requireNonNull(e.getCause()));
    } catch (IllegalAccessException e) {
      throw new IllegalArgumentException(
          format("%s is not public: a class must be, to be called from outside", name), e);
    }
  }

  /** What the user's code threw while it was checked, with the place in it. */
  IllegalStateException thrown(Throwable e) {
    return e instanceof LinkageError unlinked ? unlinked(unlinked) : thrown(name, e);
  }

  private IllegalStateException thrown(String what, Throwable e) {
    return new IllegalStateException(format("%s threw %s%s", what, e, place(e)), e);
  }

  /** Where in the user's classes it was thrown: Weft's own and Java's are passed over. */
  private String place(Throwable e) {
    return Arrays.stream(e.getStackTrace())
        .filter(frame -> isUsers(frame.getClassName()))
        .findFirst()
        .map(frame -> ", at " + frame)
        .orElse("");
  }

  private boolean isUsers(String type) {
    try {
      return Class.forName(type, false, loader).getClassLoader() == loader;
    } catch (ClassNotFoundException | LinkageError e) {
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    loader.close();
  }
}
