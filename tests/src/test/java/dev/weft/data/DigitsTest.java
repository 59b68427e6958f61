// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Shape;
import dev.weft.support.Beside;
import java.lang.foreign.ValueLayout;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

@Beside
class DigitsTest {
  @Test
  void bytesAreTheSameOnEveryMachine() {
    Split digits = Digits.generate(600, 7);
    assertEquals(
        "e093f5854b3bee580aa3a6134481f4ef1ddf32aeadc57111b4c6bd6ff44e7295", sha256(digits.train()));
    assertEquals(
        "c09106c89f6a24b3223fd722cf6168971b3528fce219efa3d8e1055dc3f7235c", sha256(digits.test()));
  }

  @Test
  void anotherSeedGivesOtherDigits() {
    assertEquals(sha256(Digits.generate(50, 1).train()), sha256(Digits.generate(50, 1).train()));
    assertNotEquals(sha256(Digits.generate(50, 1).train()), sha256(Digits.generate(50, 2).train()));
  }

  @Test
  void imagesAre28By28BytesReadAs0To1() {
    Split digits = Digits.generate(60, 7);
    assertEquals(60, digits.train().rows());
    assertEquals(10, digits.test().rows());
    assertEquals(10, digits.test().classes());
    assertEquals(Shape.of(784), digits.train().features().shape());
    assertEquals(Shape.of(28, 28), digits.train().features().shaped(28, 28).shape());
    assertEquals(Storage.UINT8, digits.train().features().storage());
    assertEquals(1 / 255.0, digits.train().features().scale());
    assertEquals(1, Digits.generate(1, 7).test().rows());
  }

  @Test
  void fewerDigitsAreTheFirstOfMore() {
    Dataset few = Digits.generate(300, 7).train();
    Dataset many = Digits.generate(900, 7).train().slice(0, 300);
    assertEquals(sha256(few), sha256(many));
    assertArrayEquals(few.targets().toInts(), many.targets().toInts());
  }

  @Test
  void noTestDigitIsAmongThoseToTrainOn() {
    Split digits = Digits.generate(6_000, 7);
    Set<String> seen = new HashSet<>();
    for (int row = 0; row < digits.train().rows(); row++) {
      assertTrue(seen.add(sha256(digits.train().slice(row, row + 1))), "row " + row + " twice");
    }
    for (int row = 0; row < digits.test().rows(); row++) {
      assertTrue(seen.add(sha256(digits.test().slice(row, row + 1))), "row " + row + " was seen");
    }
  }

  @Test
  void classesAreAboutEquallyFrequent() {
    int[] counts = new int[10];
    for (int label : Digits.generate(10_000, 7).train().targets().toInts()) {
      counts[label]++;
    }
    for (int count : counts) {
      assertTrue(count > 850 && count < 1150, "a class has " + count + " of 10,000");
    }
  }

  /** Nearest class mean: far better than chance, so labels fit images; far from perfect. */
  @Test
  void aModelWithoutHiddenLayerLearnsSomethingAndNotAll() {
    Split digits = Digits.generate(6_000, 7);
    double right = nearestMeanAccuracy(digits.train(), digits.test(), 0);
    assertTrue(right > 0.5 && right < 0.95, "accuracy " + right);
    double twin = nearestMeanAccuracy(digits.train(), digits.test(), 1);
    assertTrue(twin < 0.2, "with labels moved by one row the accuracy is still " + twin);
  }

  @Test
  void aCountBelowOneIsAnError() {
    assertThrows(IllegalArgumentException.class, () -> Digits.generate(0, 7));
  }

  private static double nearestMeanAccuracy(Dataset train, Dataset test, int labelShift) {
    double[][] means = new double[10][784];
    int[] counts = new int[10];
    for (int row = 0; row < train.rows(); row++) {
      int label = (int) train.targets().get((row + labelShift) % train.rows(), 0);
      counts[label]++;
      double[] x = features(train, row);
      for (int c = 0; c < 784; c++) {
        means[label][c] += x[c];
      }
    }
    int right = 0;
    for (int row = 0; row < test.rows(); row++) {
      double[] x = features(test, row);
      double[] distance = new double[10];
      int best = 0;
      for (int label = 0; label < 10; label++) {
        for (int c = 0; c < 784; c++) {
          double d = x[c] - means[label][c] / counts[label];
          distance[label] += d * d;
        }
        best = distance[label] < distance[best] ? label : best;
      }
      right += best == test.targets().get(row, 0) ? 1 : 0;
    }
    return right / (double) test.rows();
  }

  private static double[] features(Dataset data, int row) {
    Column features = data.features();
    return IntStream.range(0, features.width()).mapToDouble(c -> features.get(row, c)).toArray();
  }

  private static String sha256(Dataset data) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(data.features().data().toArray(ValueLayout.JAVA_BYTE));
      for (int label : data.targets().toInts()) {
        digest.update((byte) label);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
