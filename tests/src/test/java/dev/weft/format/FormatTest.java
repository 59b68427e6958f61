// SPDX-License-Identifier: Apache-2.0
package dev.weft.format;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FormatTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "-0.0, 0",
    "12, 12",
    "-12.5, -12.5",
    "0.731058578, 0.7311",
    "1.99996, 2",
    "99999.6, 100000",
    "123456, 123500",
    "1234567, 1.235e+06",
    "999999.9, 1e+06",
    "0.00012345, 0.0001235",
    "0.0000123, 1.23e-05",
    "3.5e-7, 3.5e-07",
    "1e300, 1e+300",
    "NaN, NaN",
    "-Infinity, -Infinity"
  })
  void numbersHaveFourDigitsAndNoZerosAtTheEnd(double value, String expected) {
    assertEquals(expected, Format.significant(value, 4));
  }
}
