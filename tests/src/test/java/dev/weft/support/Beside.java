// SPDX-License-Identifier: Apache-2.0
package dev.weft.support;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Tests whose methods run beside others, which run one after the other: they open no device here,
 * set no property and no stream of this JVM, and measure no time. Most of them wait for processes.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Execution(ExecutionMode.CONCURRENT)
public @interface Beside {}
