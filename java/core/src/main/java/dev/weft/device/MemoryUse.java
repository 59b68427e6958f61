// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

/**
 * What a device's allocator holds, in bytes.
 *
 * @param live in use by tensors, parameters and programs
 * @param peak the most that was ever live
 * @param cached taken from the device, not in use, kept for the next request
 */
public record MemoryUse(long live, long peak, long cached) {}
