// SPDX-License-Identifier: Apache-2.0
//
// What word vectors are trained for: negative sampling, hierarchical and full softmax.
#ifndef WEFT_CPU_WORD_OBJECTIVES_H
#define WEFT_CPU_WORD_OBJECTIVES_H

#include <string.h>

#include <algorithm>
#include <vector>

#include "own_rows.h"
#include "word_unit.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Words whose means take one step together.
struct group {
  inputs x;
  int32_t word[most_sharing];
  float* rows[most_sharing][most_inputs];  // those around each
  int64_t around[most_sharing];
};

// A unit, and room to train it.
struct scratch : word_unit {
  std::vector<float> scores;  // of the full softmax
  std::vector<float> means, mean_gradients, apart;
  group together;
};

// A matrix's rows, some of which are a thread's own.
struct rows {
  float* matrix;
  own_rows own;
  int64_t owned = 0;  // rows below are its own

  rows(float* matrix, int64_t cols) : matrix(matrix), own(cols) {}

  float* row(int64_t id, int64_t cols) const {
    return id < owned ? own.row(id) : matrix + id * cols;
  }
};

// The objectives of some inputs, with a step of each.
struct word_objectives : word_steps {
  const weft_word2vec& a;
  rows input, output;

  explicit word_objectives(const weft_word2vec& a)
      : word_steps{a.cols, as<weft_step_state>(a.state)->rate_f32},
        a(a),
        input(as<float>(a.input), cols),
        output(as<float>(a.output), cols) {}

  float* input_row(int64_t word) const { return input.row(word, cols); }
  float* output_row(int64_t row) const { return output.row(row, cols); }

  double negative_sampling(const inputs& x, int32_t word, const int32_t* noise) const {
    double loss = 0;
    collection y;
    y.row[0] = output_row(word);
    y.label[0] = 1;
    y.count = 1;
    for (int64_t n = 0; n < a.negatives; n++) {
      if (noise[n] == word) continue;
      float* row = output_row(noise[n]);
      // a row that comes twice takes two steps
      bool again = std::find(y.row, y.row + y.count, row) != y.row + y.count;
      if (again || y.count == most_rows(x)) loss += flush(x, y);
      y.row[y.count++] = row;
    }
    return loss + flush(x, y);
  }

  // All words of a group against the same noise, then each against its own row.
  double negative_sampling(const group& g, const int32_t* noise) const {
    const inputs& x = g.x;
    const int32_t* past = g.word + x.count;
    double loss = 0;
    bool apart = false;  // whether rows are wanted twice
    collection y;
    for (int64_t n = 0; n < a.negatives; n++) {
      float* row = output_row(noise[n]);
      if (std::find(g.word, past, noise[n]) != past) {
        loss += flush(x, y);
        inputs others;
        for (int64_t c = 0; c < x.count; c++) {
          if (g.word[c] != noise[n]) others.add(x.from[c], x.to[c]);
        }
        y.row[y.count++] = row;
        loss += others.count ? flush(others, y) : 0;
        y = collection{};
        apart = true;
        continue;
      }
      bool again = std::find(y.row, y.row + y.count, row) != y.row + y.count;
      if (again || y.count == most_beside_own) loss += flush(x, y);
      y.row[y.count++] = row;
    }
    for (const int32_t* w = g.word; w < past; w++) apart |= std::find(g.word, w, *w) != w;
    if (!apart) return loss + flush_with_own(x, y);
    loss += flush(x, y);
    for (int64_t c = 0; c < x.count; c++) {
      inputs one;
      one.add(x.from[c], x.to[c]);
      y.row[0] = x.own[c];
      y.label[0] = 1;
      y.count = 1;
      loss += flush(one, y);
    }
    return loss;
  }

  double hierarchical_softmax(const inputs& x, int32_t word) const {
    const int32_t *offsets = as<int32_t>(a.offsets), *nodes = as<int32_t>(a.nodes);
    const uint8_t* bits = as<uint8_t>(a.bits);
    double loss = 0;
    for (int64_t k = offsets[word]; k < offsets[word + 1]; k += most_rows(x)) {
      collection y;
      y.count = smaller(most_rows(x), offsets[word + 1] - k);
      for (int64_t o = 0; o < y.count; o++) {
        y.row[o] = output_row(nodes[k + o]);
        y.label[o] = 1.0f - bits[k + o];
      }
      loss += flush(x, y);
    }
    return loss;
  }

  // The full softmax, input by input: scores, then their gradients.
  double full_softmax(const inputs& x, int32_t word, scratch& s) const {
    int64_t blocks = (a.outputs + outputs_at_once - 1) / outputs_at_once;
    s.scores.resize((size_t)(blocks * outputs_at_once));
    float* score = s.scores.data();
    double loss = 0;
    for (int64_t c = 0; c < x.count; c++) {
      inputs one;
      one.add(x.from[c], x.to[c]);
      each_block([&](float* const* y, int64_t first, auto count) {
        alignas(register_bytes) float found[lanes];
        at(found, 0) = scores<1, count>(one, 0, y);
        memcpy(score + first, found, count * sizeof(float));
      });
      float highest = *std::max_element(score, score + a.outputs);
      loss -= score[word] - highest;
      double sum = 0;
      for (int64_t o = 0; o < a.outputs; o++) sum += score[o] = math::exp(score[o] - highest);
      loss += math::log(sum);
      float share = -rate / (float)sum;
      for (int64_t o = 0; o < a.outputs; o++) score[o] *= share;
      score[word] += rate;
      // the scores were those of the row before its steps
      clear(s.apart);
      inputs apart;
      apart.add(x.from[c], aligned(s.apart));
      each_block([&](float* const* y, int64_t first, auto count) {
        apply_one<count>(apart, y, score + first);
      });
      add(aligned(s.apart), x.to[c]);
    }
    return loss;
  }

  // body(rows, the first one's number, how many) over all rows of output
  template <typename Body>
  void each_block(const Body& body) const {
    for (int64_t o = 0; o < a.outputs; o += outputs_at_once) {
      float* y[outputs_at_once];
      int64_t count = smaller(outputs_at_once, a.outputs - o);
      for (int64_t i = 0; i < count; i++) y[i] = output_row(o + i);
      choose<outputs_at_once>("a block's rows", count - 1, [&](auto less) {
        body(y, o, std::integral_constant<int, less + 1>{});
      });
    }
  }

  // Vectors as long as a row, on the boundary of a register.
  void clear(std::vector<float>& row, int64_t count = 1) const {
    row.assign((size_t)(count * cols) + lanes, 0);
  }

  void add(const float* gradient, float* row) const {
    for (int64_t k = 0; k < cols; k += lanes)
      at(row, k) += *reinterpret_cast<const vec*>(gradient + k);
  }

  double objective(const inputs& x, int32_t word, const int32_t* noise, scratch& s) const {
    switch (a.objective) {
      case WEFT_NEGATIVE_SAMPLING: return negative_sampling(x, word, noise);
      case WEFT_HIERARCHICAL_SOFTMAX: return hierarchical_softmax(x, word);
      default: return full_softmax(x, word, s);
    }
  }
};

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_WORD_OBJECTIVES_H
