// SPDX-License-Identifier: Apache-2.0
//
// Graphs: work in the order in which it was captured, and that work made ready to run.
#ifndef WEFT_EMULATOR_GRAPH_H
#define WEFT_EMULATOR_GRAPH_H

#include <memory>
#include <vector>

#include "stream.h"

struct CUgraphNode_st {
  weft::emulator::Work work;
};

struct CUgraph_st {
  CUcontext owner;
  std::vector<CUgraphNode_st> nodes;
};

struct CUgraphExec_st {
  CUcontext owner;
  std::shared_ptr<const std::vector<weft::emulator::Work>> work;
};

namespace weft::emulator {

extern Registry<CUgraph>& graphs;
extern Registry<CUgraphExec>& graph_programs;

CUgraph make_graph(CUcontext owner, std::vector<Work> work);

}  // namespace weft::emulator
#endif  // WEFT_EMULATOR_GRAPH_H
