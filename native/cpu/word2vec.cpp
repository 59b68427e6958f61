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
#include <vector>

#include "draw.h"
#include "own_rows.h"

namespace weft {
namespace WEFT_ISA {
namespace {

constexpr int64_t unit = 1024, around = 256, round_of_units = 4,
                  most_sharing = 64;  // see the contract

// Words whose means take one step together.
struct group {
  inputs x;
  int32_t word[most_sharing];
  float* rows[most_sharing][most_inputs];  // those around each
  int64_t around[most_sharing];
};

// What is kept of a unit and around it, and its draws.
struct scratch {
  int32_t word[unit + 2 * around];  // -1 between sentences
  int64_t first, last, kept;        // trained are first .. last - 1
  uint32_t window_draw[unit];
  int64_t sets;                // word s.first + n is in the set n modulo these
  std::vector<int32_t> noise;  // a set of words behind the other
  std::vector<float> scores;   // of the full softmax
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

struct training : word_steps {
  const weft_word2vec& a;
  const int32_t* tokens;
  const uint32_t* keep;
  const weft_step_state& state;
  rows input, output;

  explicit training(const weft_word2vec& a)
      : word_steps{a.cols, as<weft_step_state>(a.state)->rate_f32},
        a(a),
        tokens(as<int32_t>(a.tokens)),
        keep(as<uint32_t>(a.keep)),
        state(*as<weft_step_state>(a.state)),
        input(as<float>(a.input), cols),
        output(as<float>(a.output), cols) {}

  float* input_row(int64_t word) const { return input.row(word, cols); }
  float* output_row(int64_t row) const { return output.row(row, cols); }

  drawing draws(uint32_t operation) const { return {state.seed, state.step, operation}; }

  // Which words are kept of the tokens from `begin` to `end`, and some around.
  void subsample(int64_t begin, int64_t end, scratch& s) const {
    int64_t from = begin < around ? 0 : begin - around;
    int64_t past = smaller(a.token_count, end + around), kept = 0;
    drawing source = draws(0);
    for (int64_t p = from; p < past; p += drawing::run) {
      uint32_t draw[drawing::run];
      source.draw(p, draw);
      if (p == begin) s.first = kept;
      for (int64_t i = p; i < smaller(past, p + drawing::run); i++) {
        if (i == end) s.last = kept;
        int32_t word = tokens[i];
        bool there = is_row(word, a.words);
        s.word[kept] = there ? word : -1;
        kept += !there || draw[i - p] <= keep[word];
      }
    }
    if (past == end) s.last = kept;
    s.kept = kept;
  }

  // Draws the noise of a unit: so many sets.
  void draw_noise(int64_t begin, int64_t sets, scratch& s) const {
    const uint32_t* thresholds = as<uint32_t>(a.thresholds);
    const int32_t* aliases = as<int32_t>(a.aliases);
    constexpr int64_t words_at_once = drawing::run / 2, units_of_an_operation = 64;
    int64_t number = begin / unit, wanted = sets * a.negatives;
    int64_t most = sets_of(unit) * a.negatives;
    int64_t runs = (most + words_at_once - 1) / words_at_once;
    drawing source = draws((uint32_t)(2 + number / units_of_an_operation));
    int64_t first = number % units_of_an_operation * runs * drawing::run;
    s.noise.resize((size_t)(runs * words_at_once));
    for (int64_t w = 0; w < wanted; w += words_at_once) {
      uint32_t draw[drawing::run];
      source.draw(first + 2 * w, draw);
      int32_t* noise = s.noise.data() + w;
      const uint64_t words = (uint64_t)a.words;
#pragma omp simd
      for (int i = 0; i < (int)words_at_once; i++) {
        uint32_t place = (uint32_t)(draw[2 * i] * words >> 32);
        noise[i] = draw[2 * i + 1] < thresholds[place] ? (int32_t)place : aliases[place];
      }
    }
  }

  // Sets of noise that so many kept words have.
  int64_t sets_of(int64_t kept) const {
    return a.sharing ? (kept + a.sharing - 1) / a.sharing : kept * 2 * a.window;
  }

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

  static float* aligned(std::vector<float>& row) {
    uintptr_t begin = reinterpret_cast<uintptr_t>(row.data());
    return row.data() + (register_bytes - begin % register_bytes) % register_bytes / sizeof(float);
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
        prefetch_noise(noise_of(number, set, s));
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
      return objective(x, word, noise_of(number, 0, s), s);
    }
    double loss = 0;
    for (int64_t c = 0; c < count; c++) {
      if (c + sets_ahead < count) prefetch_noise(noise_of(number, c + sets_ahead, s));
      inputs x;
      x.add(rows[c], rows[c]);
      loss += objective(x, word, noise_of(number, c, s), s);
    }
    return loss;
  }

  const int32_t* noise_of(int64_t number, int64_t input, const scratch& s) const {
    int64_t set = a.sharing ? number % s.sets : number * 2 * a.window + input;
    return s.noise.data() + set * a.negatives;
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
    const int32_t* noise = noise_of(number, 0, s);
    double loss = a.objective == WEFT_NEGATIVE_SAMPLING ? negative_sampling(g, noise)
                                                        : objective(g.x, g.word[0], noise, s);
    for (int64_t c = 0; c < g.x.count; c++) {
      for (int64_t i = 0; i < g.around[c]; i++) add(g.x.to[c], g.rows[c][i]);
    }
    g.x.count = 0;
    return loss;
  }

  // Makes the draws for the tokens from `begin` to `end`, which lie in one unit.
  void prepare(int64_t begin, int64_t end, scratch& s) const {
    subsample(begin, end, s);
    int64_t trained = s.last - s.first;
    drawing windows = draws(1);
    for (int64_t p = 0; p < trained; p += drawing::run) {
      uint32_t draw[drawing::run];
      windows.draw(begin + p, draw);
      memcpy(s.window_draw + p, draw, sizeof draw);
    }
    bool noisy = a.objective == WEFT_NEGATIVE_SAMPLING;
    s.sets = noisy && a.sharing ? sets_of(trained) : trained;
    if (noisy) draw_noise(begin, sets_of(trained), s);
  }

  // Makes all rows that a prepared unit may need the thread's own.
  void own_all(const scratch& s) {
    input.own.clear(input.owned = a.words);
    output.own.clear(output.owned = a.outputs);
    int64_t past = smaller(s.kept, s.last + a.window);
    for (int64_t i = s.first < a.window ? 0 : s.first - a.window; i < past; i++) {
      if (s.word[i] >= 0) input.own.want(s.word[i]);
    }
    if (a.objective == WEFT_FULL_SOFTMAX) {
      for (int64_t o = 0; o < a.outputs; o++) output.own.want(o);
    } else if (a.objective == WEFT_NEGATIVE_SAMPLING) {
      int64_t drawn = sets_of(s.last - s.first) * a.negatives;
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
    int64_t trained = s.last - s.first;
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
        if (far < s.kept && s.word[far] >= 0) prefetch_row(input_row(s.word[far]), cols);
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
    t.prepare(from, smaller(end, from + unit), s);
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
      parallel_units(count, cost, [&](int64_t begin, int64_t end) {
        scratch s;
        for (int64_t b = begin; b < end; b++) {
          training& t = blocks[(size_t)b];
          prepare(first + b, t, s);
          t.own_all(s);
          train(first + b, t, s);
        }
      });
      constexpr int64_t shares = 16;
      parallel_units(shares, cost / shares, [&](int64_t begin, int64_t end) {
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
        "word2vec takes a window of 1 to %lld, up to %lld words that share noise, rows of 16, 32, "
        "..."
        " columns and a cursor at %lld, %lld, ...; not %lld, %lld, %lld and %lld",
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
    parallel_units(t.units, t.cost, [&](int64_t first, int64_t past) { t.race(first, past); });
  }
  double* result = as<double>(a.sums);
  for (size_t u = 0; u < t.sums.size(); u++) result[u % 2] += t.sums[u];
}

}  // namespace WEFT_ISA
}  // namespace weft
