// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.device.Arguments;
import dev.weft.device.Bfloat16;
import dev.weft.device.Block;
import dev.weft.device.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Cleaner;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A dense, row-major array on a device. One made by a {@link Device} is closed by its user; one
 * made by a {@link Tape} is closed with the tape. Using a closed tensor is an {@link
 * IllegalStateException} that names it.
 *
 * <p>This class is long because it has every way to move values in and out.
 *
 * {@snippet file="Examples.java" region="tensor"}
 */
public final class Tensor implements AutoCloseable {
  /** The name of a tensor that was given none. */
  public static final String UNNAMED = "tensor";

  private static final Cleaner CLEANER = Cleaner.create();

  private final Device device;
  private final DType dtype;
  private final Shape shape;
  private final Block block;
  private final long offset;
  private final boolean owner;
  // keeps the tensor that owns the memory reachable, and so from being reclaimed
  private final @Nullable Tensor root;
  private String name = UNNAMED;
  private @Nullable Unclosed remains; // of one that owns its memory
  private boolean requiresGrad;
  private @Nullable Tensor grad;
  private boolean gradFilled;
  private @Nullable Tape madeOn;
  private boolean rows;
  private @Nullable RowGradient rowGradient;

  private Tensor(
      Device device,
      DType dtype,
      Shape shape,
      Block block,
      long offset,
      boolean owner,
      @Nullable Tensor root) {
    this.device = device;
    this.dtype = dtype;
    this.shape = shape;
    this.block = block;
    this.offset = offset;
    this.owner = owner;
    this.root = root;
  }

  static Tensor owning(Device device, DType dtype, Shape shape, Block block) {
    Tensor tensor = new Tensor(device, dtype, shape, block, 0, true, null);
    tensor.remains = new Unclosed(device, dtype, shape, block);
    CLEANER.register(tensor, tensor.remains);
    return tensor;
  }

  static Tensor over(Device device, DType dtype, Shape shape, Block block) {
    return new Tensor(device, dtype, shape, block, 0, false, null);
  }

  /**
   * Another view of the same memory, which must not be used after this tensor is closed. It carries
   * no gradient: {@link Operations#reshape} and {@link Operations#slice} do.
   *
   * @param start the first element, counted from this tensor's first
   * @throws IllegalArgumentException where the view leaves this tensor
   */
  public Tensor view(long start, Shape shape) {
    if (start < 0 || start > this.shape.elements() - shape.elements()) {
      throw new IllegalArgumentException(
          format("a view of %s from element %d leaves %s", shape, start, describe()));
    }
    return new Tensor(
        device,
        dtype,
        shape,
        block,
        offset + start * dtype.bytes(),
        false,
        root == null ? this : root);
  }

  /** Memory of this tensor, from a byte on, as another type. */
  Tensor viewAs(DType type, long start, Shape shape) {
    return new Tensor(
        device, type, shape, block, offset + start, false, root == null ? this : root);
  }

  /** The device it lies on. */
  public Device device() {
    return device;
  }

  /** The type of its elements. */
  public DType dtype() {
    return dtype;
  }

  /** Its sizes. */
  public Shape shape() {
    return shape;
  }

  /** The number of its elements. */
  public long elements() {
    return shape.elements();
  }

  /** Gives it a name for messages. */
  public Tensor named(String name) {
    this.name = name;
    if (remains != null) {
      remains.name(name);
    }
    return this;
  }

  /** Its name in messages. */
  public String name() {
    return name;
  }

  /**
   * Where it starts in device memory.
   *
   * @throws IllegalStateException where it or its device is closed, or the thread is not the
   *     owner's
   */
  long address() {
    device.check();
    if (!block.isLive()) {
      throw new IllegalStateException(
          format("%s is closed, or the tape that made it is", describe()));
    }
    return block.address() + offset;
  }

  /** Asks for a gradient: {@link Tape#backward} then fills {@link #grad}. Returns this tensor. */
  public Tensor requiresGrad() {
    if (!dtype.isFloating()) {
      throw new IllegalArgumentException(
          describe() + " has no gradient: only floating-point types have");
    }
    requiresGrad = true;
    return this;
  }

  /** Whether a gradient was asked for, here or on anything that this was computed from. */
  public boolean hasGradient() {
    return requiresGrad;
  }

  /**
   * The gradient: the sum over all backward passes since {@link #zeroGrad}; null where there was
   * none. That of a BF16 tensor is F32. It is closed with this tensor.
   */
  public @Nullable Tensor grad() {
    return gradFilled ? grad : null;
  }

  /** Makes the next backward pass start from zero. */
  public void zeroGrad() {
    gradFilled = false;
    rowGradient = null;
  }

  /**
   * Sets the memory that gradients go to, of this tensor's type or its {@link DType#wide} one.
   *
   * @throws IllegalArgumentException where it is of another type, shape or device, or this tensor's
   *     type has no gradient
   * @throws IllegalStateException where either is closed
   */
  void gradInto(Tensor memory) {
    address(); // both throw where they are closed
    memory.address();
    boolean fits = memory.dtype == dtype || memory.dtype == dtype.wide();
    if (!memory.shape.equals(shape) || !fits || !dtype.isFloating() || memory.device != device) {
      throw new IllegalArgumentException(
          format("a gradient of %s does not go into %s", describe(), memory.describe()));
    }
    grad = memory;
    gradFilled = false;
  }

  /** Says that its gradient is a list of rows: see {@link Parameter.Kind#ROWS}. */
  void gradIsRows() {
    rows = true;
  }

  /** Whether its gradient is a list of rows. */
  boolean isGradRows() {
    return rows;
  }

  /**
   * The gradient of a table whose gradient is a list of rows, in memory of the tape that it was
   * taken on; null where there was no pass since {@link #zeroGrad} that used the table.
   */
  @Nullable RowGradient rowGradient() {
    return rowGradient;
  }

  void rowGradient(RowGradient gradient) {
    rowGradient = gradient;
  }

  /** Marks it as computed on a tape: its gradient lives and dies with the backward pass there. */
  void madeOn(Tape tape) {
    madeOn = tape;
  }

  /** The tape that its gradient is taken on; null where it was not computed from anything. */
  @Nullable Tape madeOn() {
    return madeOn;
  }

  boolean isIntermediate() {
    return madeOn != null;
  }

  /** The memory that gradients go to, whether or not one is there; null where there is none. */
  @Nullable Tensor gradMemory() {
    return grad;
  }

  /** Marks the gradient as present (after a kernel wrote it) or forgets it. */
  void gradFilled(boolean filled) {
    gradFilled = filled;
  }

  void dropGrad() {
    grad = null;
    gradFilled = false;
  }

  Block block() {
    return block;
  }

  /**
   * Notes that a kernel which is no operation has written it, so that a backward pass which needs
   * the values before is refused. {@link #fill} and {@link #copyFrom} do so themselves. Views share
   * what is noted, as they share the memory.
   */
  void changed() {
    block.changed();
  }

  /**
   * Sets every element.
   *
   * @throws IllegalArgumentException where its type does not {@link DType#holds hold} the value
   */
  public void fill(double value) {
    if (!dtype.holds(value)) {
      throw dtype.refusal(value, "what fills " + describe());
    }
    if (dtype.isFloating()) {
      device.run(Kernel.FILL, dtype.precision(), new Arguments.Fill(address(), elements(), value));
      changed();
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(Math.max(1, bytes()), 8).asSlice(0, bytes());
      if (dtype == DType.U8) {
        bytes.fill((byte) (int) value);
      } else {
        for (long i = 0; i < elements(); i++) {
          bytes.setAtIndex(ValueLayout.JAVA_INT, i, (int) value);
        }
      }
      copyFrom(bytes);
    }
  }

  /** Its size in bytes. */
  public long bytes() {
    return dtype.bytes(shape);
  }

  /**
   * Overwrites it with host memory in native byte order.
   *
   * @throws IllegalArgumentException where the sizes differ
   */
  public void copyFrom(MemorySegment bytes) {
    if (bytes.byteSize() != bytes()) {
      throw new IllegalArgumentException(
          format("%,d bytes do not fill %s, which has %,d", bytes.byteSize(), describe(), bytes()));
    }
    long address = address();
    if (bytes() > 0) {
      device.backend().copyIn(bytes, address);
      changed();
    }
  }

  /**
   * Overwrites it with values in row-major order, rounded where its type is floating.
   *
   * @throws IllegalArgumentException where the count differs, or its type does not {@link
   *     DType#holds hold} a value
   */
  public void copyFrom(double[] values) {
    if (values.length != elements()) {
      throw new IllegalArgumentException(
          format("%,d values do not fill %s", values.length, describe()));
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(Math.max(1, bytes()), 8).asSlice(0, bytes());
      for (int i = 0; i < values.length; i++) {
        double value = values[i];
        if (!dtype.holds(value)) {
          throw dtype.refusal(value, "element " + i);
        }
        switch (dtype) {
          case F32 -> host.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
          case F64 -> host.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
          case BF16 -> host.setAtIndex(ValueLayout.JAVA_SHORT, i, Bfloat16.bits((float) value));
          case I32 -> host.setAtIndex(ValueLayout.JAVA_INT, i, (int) value);
          case U8 -> host.set(ValueLayout.JAVA_BYTE, i, (byte) (int) value);
        }
      }
      copyFrom(host);
    }
  }

  /**
   * Copies it into host memory, native byte order.
   *
   * @throws IllegalArgumentException where the sizes differ
   */
  public void copyTo(MemorySegment bytes) {
    if (bytes.byteSize() != bytes()) {
      throw new IllegalArgumentException(
          format("%s has %,d bytes and the target %,d", describe(), bytes(), bytes.byteSize()));
    }
    long address = address();
    if (bytes() > 0) {
      device.backend().copyOut(address, bytes);
    }
  }

  /** Its elements as doubles, row-major. */
  public double[] toDoubles() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(Math.max(1, bytes()), 8).asSlice(0, bytes());
      copyTo(host);
      double[] values = new double[Math.toIntExact(elements())];
      Arrays.setAll(
          values,
          i ->
              switch (dtype) {
                case F32 -> host.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                case F64 -> host.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
                case BF16 -> Bfloat16.value(host.getAtIndex(ValueLayout.JAVA_SHORT, i));
                case I32 -> host.getAtIndex(ValueLayout.JAVA_INT, i);
                case U8 -> host.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
              });
      return values;
    }
  }

  /**
   * Its elements as floats, row-major; float64 and int32 are rounded.
   *
   * @throws IllegalArgumentException where a finite element would become infinite
   */
  public float[] toFloats() {
    if (dtype == DType.F32) {
      float[] floats = new float[Math.toIntExact(elements())];
      copyTo(MemorySegment.ofArray(floats));
      return floats;
    }
    double[] values = held(DType.F32);
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  /**
   * Its elements as ints, row-major. {@link Operations#cast} to I32 cuts fractions off.
   *
   * @throws IllegalArgumentException where an element is not a whole number or too large
   */
  public int[] toInts() {
    return Arrays.stream(held(DType.I32)).mapToInt(value -> (int) value).toArray();
  }

  /** Its elements, where all of them are of another type, too. */
  private double[] held(DType wanted) {
    double[] values = toDoubles();
    for (int i = 0; i < values.length; i++) {
      if (!wanted.holds(values[i])) {
        throw wanted.refusal(values[i], format("element %d of %s", i, describe()));
      }
    }
    return values;
  }

  /**
   * Its only element.
   *
   * @throws IllegalStateException where it has more or fewer than one
   */
  public double item() {
    if (elements() != 1) {
      throw new IllegalStateException(describe() + " has not exactly one element");
    }
    return toDoubles()[0];
  }

  /** Gives its memory back, if it is its own, and its gradient's; closing it again does nothing. */
  @Override
  public void close() {
    if (owner && block.isLive() && !device.isClosed()) {
      device.checkMayClose();
      device.release(block);
      if (grad != null) {
        grad.close();
      }
    }
  }

  /** Whether its values can be read here and now. */
  boolean isReadable() {
    return block.isLive() && device.isReadable();
  }

  /** What messages call it, such as {@code logits F32 [128, 10] on cpu}. */
  String describe() {
    return format("%s %s %s on %s", name, dtype, shape, device);
  }

  /**
   * Such as {@code logits F32 [128, 10] on cpu}, and the values of at most 16 elements: {@code w
   * F32 [2] on cpu: [3.0, 1.0]}. It throws nothing: where values cannot be read there are none, as
   * of a closed tensor, in a thread that is not the owner's, or while a step is recorded.
   */
  @Override
  public String toString() {
    return describe() + TensorValues.text(this);
  }
}
