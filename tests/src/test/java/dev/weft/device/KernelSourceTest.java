// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.support.Emulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** CUDA kernels move memory in 16-byte accesses: read from the PTX where the build had nvcc. */
class KernelSourceTest {
  private static final Pattern ENTRY = Pattern.compile("\\.visible \\.entry (\\w+)\\(");
  private static final String WIDE = "\\.global[a-z.]*\\.(v4\\.[a-z]32|v2\\.[a-z]64|v8\\.[a-z]16)";
  private static final Pattern WIDE_LOAD = Pattern.compile("\\bld" + WIDE);
  private static final Pattern WIDE_STORE = Pattern.compile("\\bst" + WIDE);

  // packs of four bfloat16 are 8 bytes; ids lie scattered; what sums or looks as it goes has an
  // entry
  // a thread; the others read next to nothing
  private static final Set<String> NARROW_LOADS =
      words(
          """
          label_weights_f32 label_weights_f64 multi_class_hinge_bf16 advance_step fill gather_ids
          merge_chunks negative_samples random_normal random_uniform batch_norm_finish
          batch_norm_statistics_bf16 softmax_backward_bf16 softmax_forward_bf16
          embedding_bag_backward_bf16 embedding_bag_forward_bf16
          path_loss_backward_bf16 path_loss_forward_bf16
          argmax_bf16 bias_activation_gradients_bf16 layer_norm_forward_bf16 reduce_bf16
          softmax_cross_entropy_bf16 top_hits_bf16 transpose_bf16 strided_copy_bf16
          cumulative_sum one_hot scatter_add_along top_k
          """);

  // or they write one number a row, or an output of many that are read
  private static final Set<String> NARROW_STORES =
      words(
          """
          label_weights_f32 label_weights_f64 advance_step argmax gather_ids merge_chunks
          negative_samples path_loss_forward reduce batch_norm_finish batch_norm_forward_bf16
          softmax_backward_bf16 softmax_forward_bf16
          run_squares sort_chunks top_hits path_loss_backward_bf16 path_loss_forward_bf16
          embedding_bag_backward_bf16 embedding_bag_forward_bf16
          bias_activation_gradients_bf16 gather_rows_u8_bf16 layer_norm_forward_bf16
          max_backward_bf16 multi_class_hinge_bf16 softmax_cross_entropy_bf16
          softmax_cross_entropy_distribution_bf16 transpose_bf16 strided_copy_bf16
          cumulative_sum scatter_add_along top_k
          """);

  private static Set<String> words(String text) {
    return Set.of(text.strip().split("\\s+"));
  }

  /** The code of each kernel, by its symbol. */
  private static Map<String, String> bodies(String ptx) {
    Map<String, String> bodies = new TreeMap<>();
    Matcher entry = ENTRY.matcher(ptx);
    while (entry.find()) {
      int end = ptx.indexOf("\n}", entry.end());
      bodies.put(entry.group(1), ptx.substring(entry.end(), end));
    }
    return bodies;
  }

  private static String ptx() throws IOException {
    assumeTrue(
        System.getProperty("weft.emulator") != null,
        "-Dweft.emulator tells where the native build lies, and its PTX");
    Path cuda = Emulator.folder().resolveSibling("cuda");
    List<String> files = Files.readAllLines(cuda.resolve("index.txt"));
    assumeTrue(!files.isEmpty(), "this build had no nvcc: no PTX");
    // of Hopper where it is among the chips, else of the newest, which is the last
    Path folder =
        files.stream().anyMatch(file -> file.startsWith("sm_90/"))
            ? cuda.resolve("compute_90")
            : cuda.resolve(files.getLast()).getParent();
    StringBuilder ptx = new StringBuilder();
    for (String file : files) {
      if (file.endsWith(".ptx")) {
        ptx.append(Files.readString(folder.resolve(Path.of(file).getFileName())));
      }
    }
    return ptx.toString();
  }

  private static String nameOf(String symbol) {
    return symbol.replaceFirst("_(f32|f64|bf16)$", "");
  }

  /** What is wrong: kernels with no wide access, and exceptions for kernels that have one. */
  private static List<String> complaints(String ptx) {
    List<String> complaints = new ArrayList<>();
    bodies(ptx)
        .forEach(
            (symbol, body) -> {
              complain(complaints, symbol, "load", WIDE_LOAD.matcher(body).find(), NARROW_LOADS);
              complain(complaints, symbol, "store", WIDE_STORE.matcher(body).find(), NARROW_STORES);
            });
    return complaints;
  }

  private static void complain(
      List<String> complaints, String symbol, String what, boolean wide, Set<String> narrow) {
    if (wide == (narrow.contains(symbol) || narrow.contains(nameOf(symbol)))) {
      complaints.add(
          symbol + (wide ? " is listed and has a " : " has no ") + what + " of 16 bytes");
    }
  }

  @Test
  void kernelsMoveMemoryInSixteenByteAccesses() throws IOException {
    String ptx = ptx();
    for (Kernel kernel : Kernel.values()) {
      if (kernel.hasMachineCode()) {
        assertNotNull(bodies(ptx).get(kernel.symbol(Precision.F32)), kernel + " is not in the PTX");
      }
    }
    assertEquals(List.of(), complaints(ptx));
  }

  @Test
  void narrowAccessWouldBeSeen() throws IOException {
    String ptx = ptx();
    String body = bodies(ptx).get("transpose_f32");
    assertEquals(
        List.of("transpose_f32 has no load of 16 bytes"),
        complaints(ptx.replace(body, body.replaceAll("\\bld\\.global\\.v4", "ld.global"))));
    assertEquals(
        List.of("transpose_f32 has no store of 16 bytes"),
        complaints(
            ptx.replace(body, body.replaceAll("\\bst\\.global([a-z.]*)\\.v4", "st.global.v2"))));
  }
}
