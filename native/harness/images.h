// SPDX-License-Identifier: Apache-2.0
#ifndef WEFT_HARNESS_IMAGES_H
#define WEFT_HARNESS_IMAGES_H

#include <string>
#include <vector>

namespace weft::harness {

// The files of a folder of compiled kernels that a chip runs, such as 90 for sm_90: the newest code
// for its major number, else PTX. Its index.txt is a line about the compiler, then a file a line:
// sm_90/unary.cubin, compute_90/unary.ptx. Throws where there is nothing for the chip.
std::vector<std::string> kernel_files(const std::string& folder, int chip);

}  // namespace weft::harness
#endif  // WEFT_HARNESS_IMAGES_H
