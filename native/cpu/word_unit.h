// SPDX-License-Identifier: Apache-2.0
//
// What training takes of a text at once: which words are kept, and all draws.
#ifndef WEFT_CPU_WORD_UNIT_H
#define WEFT_CPU_WORD_UNIT_H

#include <string.h>

#include <vector>

#include "../math/alias.h"
#include "draw.h"
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// see the contract
constexpr int64_t unit = 1024, around = 256, round_of_units = 4, most_sharing = 64;

// What is kept of a unit and around it, and its draws.
struct word_unit {
  int32_t word[unit + 2 * around];  // -1 between sentences
  int64_t first, last, kept;        // trained are first .. last - 1
  uint32_t window_draw[unit];
  int64_t sets;                // word first + n is in the set n modulo these
  std::vector<int32_t> noise;  // a set of words behind the other

  static drawing draws(const weft_word2vec& a, uint32_t operation) {
    const weft_step_state& state = *as<weft_step_state>(a.state);
    return {state.seed, state.step, operation};
  }

  // Which words are kept of the tokens from `begin` to `end`, and some around.
  void subsample(const weft_word2vec& a, int64_t begin, int64_t end) {
    const int32_t* tokens = as<int32_t>(a.tokens);
    const uint32_t* keep = as<uint32_t>(a.keep);
    int64_t from = begin < around ? 0 : begin - around;
    int64_t past = smaller(a.token_count, end + around);
    kept = 0;
    drawing source = draws(a, 0);
    for (int64_t p = from; p < past; p += drawing::run) {
      uint32_t draw[drawing::run];
      source.draw(p, draw);
      if (p == begin) first = kept;
      for (int64_t i = p; i < smaller(past, p + drawing::run); i++) {
        if (i == end) last = kept;
        int32_t token = tokens[i];
        bool there = is_row(token, a.words);
        word[kept] = there ? token : -1;
        kept += !there || draw[i - p] <= keep[token];
      }
    }
    if (past == end) last = kept;
  }

  // Draws the noise of a unit: so many sets.
  void draw_noise(const weft_word2vec& a, int64_t begin, int64_t wanted_sets) {
    const uint32_t* thresholds = as<uint32_t>(a.thresholds);
    const int32_t* aliases = as<int32_t>(a.aliases);
    constexpr int64_t words_at_once = drawing::run / 2, units_of_an_operation = 64;
    int64_t number = begin / unit, wanted = wanted_sets * a.negatives;
    int64_t most = sets_of(a, unit) * a.negatives;
    int64_t runs = (most + words_at_once - 1) / words_at_once;
    drawing source = draws(a, (uint32_t)(2 + number / units_of_an_operation));
    int64_t start = number % units_of_an_operation * runs * drawing::run;
    noise.resize((size_t)(wanted + words_at_once));
    for (int64_t w = 0; w < wanted; w += words_at_once) {
      uint32_t draw[drawing::run];
      source.draw(start + 2 * w, draw);
      int32_t* drawn = noise.data() + w;
#pragma omp simd
      for (int i = 0; i < (int)words_at_once; i++) {
        drawn[i] = draw_alias(draw[2 * i], draw[2 * i + 1], a.words, thresholds, aliases);
      }
    }
  }

  // Sets of noise that so many kept words have.
  static int64_t sets_of(const weft_word2vec& a, int64_t kept) {
    return a.sharing ? (kept + a.sharing - 1) / a.sharing : kept * 2 * a.window;
  }

  // The noise of word first + number, where each input has some, for that one.
  const int32_t* noise_of(const weft_word2vec& a, int64_t number, int64_t input) const {
    int64_t set = a.sharing ? number % sets : number * 2 * a.window + input;
    return noise.data() + set * a.negatives;
  }

  // Makes the draws for the tokens from `begin` to `end`, which lie in one unit.
  void draw(const weft_word2vec& a, int64_t begin, int64_t end) {
    subsample(a, begin, end);
    int64_t trained = last - first;
    drawing windows = draws(a, 1);
    for (int64_t p = 0; p < trained; p += drawing::run) {
      uint32_t draw[drawing::run];
      windows.draw(begin + p, draw);
      memcpy(window_draw + p, draw, sizeof draw);
    }
    bool noisy = a.objective == WEFT_NEGATIVE_SAMPLING;
    sets = noisy && a.sharing ? sets_of(a, trained) : trained;
    if (noisy) draw_noise(a, begin, sets_of(a, trained));
  }

  // Words from here on are around none that is trained.
  int64_t past_windows(const weft_word2vec& a) const { return smaller(kept, last + a.window); }
};

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_WORD_UNIT_H
