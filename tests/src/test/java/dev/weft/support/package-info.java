// SPDX-License-Identifier: Apache-2.0
/** What several tests need: the emulator's controls, a second Philox, devices to run over. */
package dev.weft.support;
