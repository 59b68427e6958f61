// SPDX-License-Identifier: Apache-2.0
package dev.weft.support;

import dev.weft.Device;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsProvider;
import org.junit.jupiter.params.provider.ArgumentsSource;
import org.junit.jupiter.params.support.ParameterDeclarations;

/**
 * A test that runs once on the CPU and once on the emulated GPU; its parameter opens the device.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedTest(name = "{0}")
@ArgumentsSource(OnEachDevice.Places.class)
public @interface OnEachDevice {

  /** Where a test runs. */
  enum Place {
    CPU,
    EMULATED_CUDA;

    /** Opens the device; on the GPU's side the test is skipped where there is no emulator. */
    public Device open() {
      return this == CPU ? Device.cpu() : Emulator.device();
    }
  }

  /** Both places. */
  final class Places implements ArgumentsProvider {
    @Override
    public Stream<? extends Arguments> provideArguments(
        ParameterDeclarations parameters, ExtensionContext context) {
      return Stream.of(Place.values()).map(Arguments::of);
    }
  }
}
