// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import dev.weft.device.Closing;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What was started for a row: closed in reverse order at the row's end, or where this Java machine
 * is told to end before.
 */
public final class Scope implements AutoCloseable {
  private static final Set<Scope> OPEN = ConcurrentHashMap.newKeySet();

  private static volatile boolean ending;

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(Scope::end));
  }

  private final Deque<AutoCloseable> parts = new ArrayDeque<>();

  /** An open one. */
  public Scope() {
    OPEN.add(this);
  }

  private static void end() {
    ending = true;
    OPEN.forEach(Scope::close);
  }

  /** Whether this Java machine ends, so that a child that ends is no failure. */
  public static boolean isEnding() {
    return ending;
  }

  /** Closes {@code part} with this. */
  public synchronized <T extends AutoCloseable> T add(T part) {
    parts.push(part);
    return part;
  }

  @Override
  public synchronized void close() {
    OPEN.remove(this);
    AutoCloseable[] all = parts.toArray(AutoCloseable[]::new);
    parts.clear();
    Closing.all(all);
  }
}
