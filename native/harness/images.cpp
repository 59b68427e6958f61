// SPDX-License-Identifier: Apache-2.0
#include "images.h"

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <stdexcept>

#include "cases.h"

namespace weft::harness {

namespace {

// How well a chip runs a file: not at all is 0, code comes before PTX, newer before older.
int fit(const std::string& file, int chip) {
  int of = 0;
  if (sscanf(file.c_str(), "sm_%d/", &of) == 1) {
    return of / 10 == chip / 10 && of <= chip ? 1000 + of : 0;
  }
  return sscanf(file.c_str(), "compute_%d/", &of) == 1 && of <= chip ? of : 0;
}

}  // namespace

std::vector<std::string> kernel_files(const std::string& folder, int chip) {
  std::istringstream index(read_file(folder + "/index.txt"));
  int best = 1;
  std::vector<std::string> files;
  for (std::string file; std::getline(index, file);) {
    int fits = fit(file, chip);
    if (fits > best) files.clear();
    best = std::max(best, fits);
    if (fits == best) files.push_back(folder + "/" + file);
  }
  if (files.empty()) {
    throw std::runtime_error(folder + " has no kernels for sm_" + std::to_string(chip) +
                             ": build with WEFT_CUDA_ARCHS=" + std::to_string(chip));
  }
  return files;
}

}  // namespace weft::harness
