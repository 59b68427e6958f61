// SPDX-License-Identifier: Apache-2.0
//
// Word vectors: skip-gram and CBOW (Mikolov et al., "Efficient estimation of word representations
// in vector space" and "Distributed representations of words and phrases", 2013).
//
// All words around a place meet the same rows of output, in one step, as in pWord2Vec (Ji et al.,
// 2016). Memory is what steps wait for: draws are made for a whole unit of tokens at once, and rows
// asked for ahead of their turn.
#include <string.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <vector>

#include "word_objectives.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Training of units, one after another.
struct training : word_objectives {
  using word_objectives::word_objectives;

  static constexpr int64_t outputs_ahead = 3, sets_ahead = 3, inputs_ahead = 5;

  void prefetch_noise(const int32_t* noise) const {
    for (int64_t n = 0; n < a.negatives; n++) prefetch_row(output_row(noise[n]), cols);
  }

  // Asks for the rows that kept word i will need.
  void look_ahead(int64_t i, scratch& s) const {
    if (i >= s.last || s.word[i] < 0) return;
    int64_t number = i - s.first;
    if (a.objective == WEFT_NEGATIVE_SAMPLING) {
      prefetch_row(output_row(s.word[i]), cols);
      if (number >= s.sets) return;
      for (int64_t set = 0; set < (a.sharing ? 1 : smaller(sets_ahead, 2 * a.window)); set++) {
        prefetch_noise(s.noise_of(a, number, set));
      }
    } else if (a.objective == WEFT_HIERARCHICAL_SOFTMAX) {
      constexpr int32_t in_cache = 256;  // the nodes near the root
      const int32_t *offsets = as<int32_t>(a.offsets), *nodes = as<int32_t>(a.nodes);
      for (int64_t k = offsets[s.word[i]]; k < offsets[s.word[i] + 1]; k++) {
        if (nodes[k] >= in_cache) prefetch_row(output_row(nodes[k]), cols);
      }
    }
  }

  // Rows of the kept words around i, at most `reach` before and after it.
  int64_t words_around(int64_t i, int64_t reach, const scratch& s, float** rows) const {
    int64_t count = 0, j = i;
    while (j > 0 && i - j < reach && s.word[j - 1] >= 0) j--;
    for (; j < i; j++) rows[count++] = input_row(s.word[j]);
    for (j = i + 1; j < s.kept && j - i <= reach && s.word[j] >= 0; j++) {
      rows[count++] = input_row(s.word[j]);
    }
    return count;
  }

  double skip_gram(float* const* rows, int64_t count, int32_t word, int64_t number,
                   scratch& s) const {
    if (a.objective != WEFT_NEGATIVE_SAMPLING || a.sharing) {
      inputs x;
      for (int64_t c = 0; c < count; c++) x.add(rows[c], rows[c]);
      return objective(x, word, s.noise_of(a, number, 0), s);
    }
    double loss = 0;
    for (int64_t c = 0; c < count; c++) {
      if (c + sets_ahead < count) prefetch_noise(s.noise_of(a, number, c + sets_ahead));
      inputs x;
      x.add(rows[c], rows[c]);
      loss += objective(x, word, s.noise_of(a, number, c), s);
    }
    return loss;
  }

  // Adds a word and those around it to the words whose means take one step together.
  void add_mean(int64_t count, int32_t word, scratch& s) const {
    group& g = s.together;
    int64_t c = g.x.count;
    float* const* from = g.rows[c];
    float* mean = aligned(s.means) + c * cols;
    float* gradient = aligned(s.mean_gradients) + c * cols;
    vec share = all(1.0f / (float)count);
    for (int64_t k = 0; k < cols; k += lanes) {
      vec sum = at(from[0], k);
      for (int64_t i = 1; i < count; i++) sum += at(from[i], k);
      at(mean, k) = sum * share;
      at(gradient, k) = vec{};
    }
    g.word[c] = word;
    g.around[c] = count;
    g.x.own[c] = output_row(word);
    g.x.add(mean, gradient);
  }

  // The step of the means, and of each word's around it.
  double cbow(int64_t number, scratch& s) const {
    group& g = s.together;
    if (g.x.count == 0) return 0;
    const int32_t* noise = s.noise_of(a, number, 0);
    double loss = a.objective == WEFT_NEGATIVE_SAMPLING ? negative_sampling(g, noise)
                                                        : objective(g.x, g.word[0], noise, s);
    for (int64_t c = 0; c < g.x.count; c++) {
      for (int64_t i = 0; i < g.around[c]; i++) add(g.x.to[c], g.rows[c][i]);
    }
    g.x.count = 0;
    return loss;
  }

  // Makes all rows that a prepared unit may need the thread's own.
  void own_all(const scratch& s) {
    input.own.clear(input.owned = a.words);
    output.own.clear(output.owned = a.outputs);
    int64_t past = s.past_windows(a);
    for (int64_t i = s.first < a.window ? 0 : s.first - a.window; i < past; i++) {
      if (s.word[i] >= 0) input.own.want(s.word[i]);
    }
    if (a.objective == WEFT_FULL_SOFTMAX) {
      for (int64_t o = 0; o < a.outputs; o++) output.own.want(o);
    } else if (a.objective == WEFT_NEGATIVE_SAMPLING) {
      int64_t drawn = s.sets_of(a, s.last - s.first) * a.negatives;
      for (int64_t n = 0; n < drawn; n++) output.own.want(s.noise[(size_t)n]);
    }
    for (int64_t i = s.first; i < s.last; i++) {
      if (s.word[i] < 0) continue;
      if (a.objective == WEFT_NEGATIVE_SAMPLING) {
        output.own.want(s.word[i]);
      } else if (a.objective == WEFT_HIERARCHICAL_SOFTMAX) {
        const int32_t *offsets = as<int32_t>(a.offsets), *nodes = as<int32_t>(a.nodes);
        for (int64_t k = offsets[s.word[i]]; k < offsets[s.word[i] + 1]; k++) {
          output.own.want(nodes[k]);
        }
      }
    }
    input.own.take(input.matrix);
    output.own.take(output.matrix);
  }

  // Trains a prepared unit; sums as in the contract.
  void train(scratch& s, double* sums) const {
    bool pairs = a.model == WEFT_SKIP_GRAM, noisy = a.objective == WEFT_NEGATIVE_SAMPLING;
    int64_t trained = s.last - s.first, past = s.past_windows(a);
    int64_t together = noisy && a.sharing ? a.sharing : 1;
    clear(s.means, together);
    clear(s.mean_gradients, together);
    s.together.x.count = 0;
    // the sets of one word fill a first-level cache
    int64_t ahead = a.sharing || !noisy ? outputs_ahead : 1;
    double loss = 0;
    int64_t count = 0;
    for (int64_t set = 0; set < s.sets; set++) {
      for (int64_t number = set; number < trained; number += s.sets) {
        int64_t i = s.first + number;
        look_ahead(i + ahead, s);
        int64_t far = i + a.window + inputs_ahead;
        if (far < past && s.word[far] >= 0) prefetch_row(input_row(s.word[far]), cols);
        if (s.word[i] < 0) continue;
        float** rows = s.together.rows[s.together.x.count];
        int64_t reach = 1 + (int64_t)((uint64_t)s.window_draw[number] * (uint64_t)a.window >> 32);
        int64_t there = words_around(i, reach, s, rows);
        if (there == 0) continue;
        if (pairs) {
          loss += skip_gram(rows, there, s.word[i], number, s);
        } else {
          add_mean(there, s.word[i], s);
        }
        count += pairs ? there : 1;
      }
      loss += cbow(set, s);
    }
    sums[0] = loss;
    sums[1] = (double)count;
  }
};

// body(begin, end) over units, on threads, which throw nothing: what a body throws comes from here.
template <typename Body>
void share_units(int64_t units, int64_t cost, const Body& body) {
  std::mutex one;
  std::exception_ptr thrown;
  parallel_units(units, cost, [&](int64_t begin, int64_t end) {
    try {
      body(begin, end);
    } catch (...) {
      std::lock_guard<std::mutex> held(one);
      thrown = std::current_exception();
    }
  });
  if (thrown) std::rethrow_exception(thrown);
}

// The units of a call.
struct text {
  const weft_word2vec& a;
  const weft_step_state& state;
  int64_t begin, end, units, cost;
  std::vector<double> sums;

  explicit text(const weft_word2vec& a)
      : a(a),
        state(*as<weft_step_state>(a.state)),
        begin(state.cursor),
        end(smaller(a.token_count, begin + a.count)),
        units(begin < end ? (end - begin + unit - 1) / unit : 0),
        cost(unit * a.cols * a.window * (a.negatives + 1)),
        sums(2 * (size_t)units) {}

  void prepare(int64_t u, training& t, scratch& s) const {
    int64_t from = begin + u * unit;
    t.rate = (float)(state.rate - a.fall * (double)(from - begin));
    s.draw(a, from, smaller(end, from + unit));
  }

  void train(int64_t u, const training& t, scratch& s) { t.train(s, &sums[2 * (size_t)u]); }

  // All threads want the nodes near a tree's root all the time: each has its own of them.
  static constexpr int64_t own_nodes = 1024, own_units = 16;

  void race(int64_t first, int64_t past) {
    scratch s;
    training t(a);
    rows& nodes = t.output;
    bool own = a.objective == WEFT_HIERARCHICAL_SOFTMAX && past - first < units;
    if (own) {
      nodes.own.clear(nodes.owned = smaller(own_nodes, a.outputs));
      for (int64_t n = 0; n < nodes.owned; n++) nodes.own.want(n);
    }
    for (int64_t u = first; u < past; u++) {
      if (own && (u - first) % own_units == 0) {
        if (u > first) nodes.own.give(nodes.matrix, 0, 1);
        nodes.own.take(nodes.matrix);
      }
      prepare(u, t, s);
      train(u, t, s);
    }
    if (own) nodes.own.give(nodes.matrix, 0, 1);
  }

  void in_blocks() {
    std::vector<training> blocks(round_of_units, training(a));
    for (int64_t first = 0; first < units; first += round_of_units) {
      int64_t count = smaller(round_of_units, units - first);
      share_units(count, cost, [&](int64_t begin, int64_t end) {
        scratch s;
        for (int64_t b = begin; b < end; b++) {
          training& t = blocks[(size_t)b];
          prepare(first + b, t, s);
          t.own_all(s);
          train(first + b, t, s);
        }
      });
      constexpr int64_t shares = 16;
      share_units(shares, cost / shares, [&](int64_t begin, int64_t end) {
        for (int64_t share = begin; share < end; share++) {
          for (int64_t b = 0; b < count; b++) {
            const training& t = blocks[(size_t)b];
            t.input.own.give(t.input.matrix, (int32_t)share, shares);
            t.output.own.give(t.output.matrix, (int32_t)share, shares);
          }
        }
      });
    }
  }
};

}  // namespace

void word2vec(const weft_word2vec& a) {
  if (a.window < 1 || a.window > most_window || a.sharing > most_sharing || a.cols % 16 ||
      as<weft_step_state>(a.state)->cursor % unit) {
    fail(
        "word2vec takes a window of 1 to %lld, up to %lld words that share noise, rows of 16, 32,"
        " ... columns and a cursor at %lld, %lld, ...; not %lld, %lld, %lld and %lld",
        (long long)most_window, (long long)most_sharing, (long long)unit, (long long)(2 * unit),
        (long long)a.window, (long long)a.sharing, (long long)a.cols,
        (long long)as<weft_step_state>(a.state)->cursor);
  }
  text t(a);
  if (a.order == WEFT_IN_ORDER) {
    t.race(0, t.units);
  } else if (a.order == WEFT_BLOCKS) {
    t.in_blocks();
  } else {
    share_units(t.units, t.cost, [&](int64_t first, int64_t past) { t.race(first, past); });
  }
  double* result = as<double>(a.sums);
  for (size_t u = 0; u < t.sums.size(); u++) result[u % 2] += t.sums[u];
}

}  // namespace WEFT_ISA
}  // namespace weft
