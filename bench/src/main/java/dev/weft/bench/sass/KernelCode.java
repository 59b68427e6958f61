// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.sass;

import java.util.List;

/**
 * What the machine code of a kernel shows. Its main part is the one that moves the memory: a round
 * of the smallest loop that moves at least half of what a way through the kernel does, else that
 * way. {@link Flow#way} says which way.
 *
 * @param instructions all of them, with those of the functions that it calls
 * @param local accesses to a thread's own memory, which none should have
 * @param wideLoads loads of 16 bytes or more from global memory
 * @param wideStores stores of 16 bytes or more
 * @param inLoop whether the main part is a round of a loop
 * @param mainInstructions the instructions of the main part
 * @param mainBytes what a thread reads and writes there
 * @param loadsInFlight how many loads are under way there at once, at the most
 */
public record KernelCode(
    int instructions,
    long local,
    long wideLoads,
    long wideStores,
    boolean inLoop,
    int mainInstructions,
    int mainBytes,
    int loadsInFlight) {
  private static final int WIDE = 16;

  /**
   * Reads what nvdisasm printed of a kernel.
   *
   * @throws IllegalArgumentException where it has no instruction, or cannot be followed
   */
  public static KernelCode of(String listing) {
    List<Instruction> code = Instruction.listing(listing);
    if (code.isEmpty()) {
      throw new IllegalArgumentException("a listing without an instruction");
    }
    Flow flow = new Flow(code);
    Way whole = flow.way();
    Way loop =
        flow.loops().stream()
            .filter(round -> round.bytes() > 0 && 2 * round.bytes() >= whole.bytes())
            .findFirst()
            .orElse(null);
    Way main = loop != null ? loop : whole;
    return new KernelCode(
        code.size(),
        code.stream().filter(Instruction::isLocal).count(),
        code.stream().filter(one -> one.loads() && one.width() >= WIDE).count(),
        code.stream().filter(one -> one.stores() && one.width() >= WIDE).count(),
        loop != null,
        main.code().size(),
        main.bytes(),
        main.loadsInFlight());
  }

  /** Instructions of the main part for sixteen bytes that it moves; NaN where it moves none. */
  public double per16Bytes() {
    return mainBytes == 0 ? Double.NaN : 16.0 * mainInstructions / mainBytes;
  }
}
