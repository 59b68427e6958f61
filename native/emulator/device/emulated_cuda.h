// SPDX-License-Identifier: Apache-2.0
//
// Included by the compiler ahead of every .cu file, so that a host C++ compiler takes the kernels
// as they are. Not supported: dynamic shared memory (extern __shared__), textures, cooperative
// groups.
#ifndef WEFT_EMULATOR_DEVICE_EMULATED_CUDA_H
#define WEFT_EMULATOR_DEVICE_EMULATED_CUDA_H

#include <stdint.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "functions.h"
#include "threads.h"
#include "types.h"

#endif  // WEFT_EMULATOR_DEVICE_EMULATED_CUDA_H
