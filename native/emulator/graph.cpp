// SPDX-License-Identifier: Apache-2.0
#include "graph.h"

#include <algorithm>

namespace weft::emulator {

Registry<CUgraph>& graphs = *new Registry<CUgraph>;  // never destroyed: threads may outlive main
Registry<CUgraphExec>& graph_programs =
    *new Registry<CUgraphExec>;  // never destroyed: threads may outlive main

CUgraph make_graph(CUcontext owner, std::vector<Work> work) {
  auto* graph = new CUgraph_st{owner, {}};
  for (Work& w : work) graph->nodes.push_back({std::move(w)});
  return graphs.add(graph);
}

int64_t drop_graphs(CUcontext owner) { return graphs.drop(owner) + graph_programs.drop(owner); }

namespace {

CUresult check_graph(CUgraph graph) {
  if (graphs.has(graph)) return CUDA_SUCCESS;
  return fail(CUDA_ERROR_INVALID_VALUE, "%p is not a live graph", (void*)graph);
}

CUresult check_program(CUgraphExec program) {
  if (graph_programs.has(program)) return CUDA_SUCCESS;
  return fail(CUDA_ERROR_INVALID_VALUE, "%p is not a live executable graph", (void*)program);
}

CUresult run(const std::vector<Work>& work) {
  for (const Work& w : work) WEFT_TRY(w.run());
  return CUDA_SUCCESS;
}

}  // namespace
}  // namespace weft::emulator

using namespace weft::emulator;

WEFT_EXPORT CUresult cuGraphCreate(CUgraph* graph, unsigned) {
  WEFT_ENTER(context);
  *graph = make_graph(context, {});
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuGraphDestroy(CUgraph graph) {
  WEFT_ENTER(context);
  WEFT_TRY(check_graph(graph));
  graphs.live.erase(graph);
  delete graph;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuGraphGetNodes(CUgraph graph, CUgraphNode* nodes, size_t* count) {
  WEFT_ENTER(context);
  WEFT_TRY(check_graph(graph));
  if (!count) return fail(CUDA_ERROR_INVALID_VALUE, "cuGraphGetNodes: null");
  if (nodes) {
    size_t n = std::min(*count, graph->nodes.size());
    for (size_t i = 0; i < n; i++) nodes[i] = &graph->nodes[i];
    std::fill(nodes + n, nodes + *count, nullptr);
    *count = n;
  } else {
    *count = graph->nodes.size();
  }
  return CUDA_SUCCESS;
}

// Good for nodes of graphs that live: as in CUDA, a node goes with its graph.
WEFT_EXPORT CUresult cuGraphNodeGetType(CUgraphNode node, CUgraphNodeType* type) {
  Lock lock(driver_mutex);
  if (!node || !type) return fail(CUDA_ERROR_INVALID_VALUE, "cuGraphNodeGetType: null");
  *type = node->work.type;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuGraphInstantiateWithFlags(CUgraphExec* program, CUgraph graph,
                                                 unsigned long long flags) {
  WEFT_ENTER(context);
  WEFT_TRY(check_graph(graph));
  if (flags > 15) return fail(CUDA_ERROR_INVALID_VALUE, "cuGraphInstantiate: flags %llu", flags);
  if (controls.instantiation.hit()) {
    return fail(CUDA_ERROR_OUT_OF_MEMORY, "cuGraphInstantiate: a test asked for this failure");
  }
  std::vector<Work> work;
  for (const CUgraphNode_st& node : graph->nodes) work.push_back(node.work);
  *program = graph_programs.add(
      new CUgraphExec_st{context, std::make_shared<const std::vector<Work>>(std::move(work))});
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuGraphExecDestroy(CUgraphExec program) {
  WEFT_ENTER(context);
  WEFT_TRY(check_program(program));
  graph_programs.live.erase(program);
  delete program;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuGraphUpload(CUgraphExec program, CUstream handle) {
  WEFT_ENTER(context);
  WEFT_TRY(check_program(program));
  CUstream stream = nullptr;
  return resolve_stream(context, handle, &stream);
}

// Launched on a captured stream, it becomes part of what is captured.
WEFT_EXPORT CUresult cuGraphLaunch(CUgraphExec program, CUstream stream) {
  if (controls.do_nothing.load(std::memory_order_relaxed)) return CUDA_SUCCESS;
  WEFT_ENTER(context);
  WEFT_TRY(check_program(program));
  return submit(context, stream, CU_GRAPH_NODE_TYPE_KERNEL, "cuGraphLaunch",
                [work = program->work] { return run(*work); });
}
