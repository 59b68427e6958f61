// SPDX-License-Identifier: Apache-2.0
//
// Training of word vectors.

#define WEFT_WORD_MODEL(E)                                                     \
  E(SKIP_GRAM, "each word around a place predicts the word there")             \
  E(CBOW, "the mean of the words around a place predicts the word there")

#define WEFT_WORD_OBJECTIVE(E)                                                 \
  E(NEGATIVE_SAMPLING, "the word's row against rows of words drawn as noise")  \
  E(HIERARCHICAL_SOFTMAX, "the rows of the inner nodes on the word's path")    \
  E(FULL_SOFTMAX, "the word's row against all rows")

#define WEFT_WORD_ORDER(E)                                                     \
  E(RACING, "threads train at once, and their steps may overwrite each other") \
  E(BLOCKS, "blocks of the text are trained apart, and their changes added in order")  \
  E(IN_ORDER, "one thread trains all")

// Trains on the words at places cursor .. cursor + count - 1 of tokens, cursor = state->cursor, a
// multiple of 1024. A token is a word's row, or -1 between sentences. A word is kept where its draw
// is at most keep[word] (of 2^32 - 1). The words around a kept one are the b kept ones before and
// after it in its sentence, b drawn from 1..window; none is looked for beyond 256 tokens before and
// after the 1024 that the place is among.
//   x  a row of input; CBOW: the mean of those of the words around, each of which then takes the
//      whole step of the mean, as in word2vec.c
//   y  rows of output; cols wide as x, columns beyond the vectors' dimension being 0
// A word that stands twice around a place takes its second step from where the first has led it.
// Each step subtracts a rate times the gradient of the objective, in x for a word w:
//   NEGATIVE_SAMPLING     -log s(x.y[w]) - sum over noise n of log s(-x.y[n]); s(z) = 1 / (1 + e^-z).
//                         A noise word equal to w is left out. So many `negatives` are drawn for each
//                         set of `sharing` words: of k kept words and ends of sentences among 1024
//                         tokens, number n is in set n mod ceil(k / sharing), and sets are trained
//                         one after another (CBOW: their means are taken before their steps); or,
//                         where sharing is 0, anew for each x. A draw takes a place uniformly, then
//                         the place itself where another draw is below thresholds[place], else
//                         aliases[place]
//   HIERARCHICAL_SOFTMAX  - sum over k from offsets[w] up to offsets[w + 1] of
//                         log s(bits[k] ? -x.y[nodes[k]] : x.y[nodes[k]])
//   FULL_SOFTMAX          log sum over v of e^(x.y[v]) - x.y[w]
// The rate of each 1024 tokens is state->rate - fall * (their first place - cursor).
// sums[0] += the objectives before their steps, sums[1] += their number. Draws follow (seed, step,
// place). BLOCKS: each of 4 times 1024 tokens is trained from the rows as they were before the 4;
// then, in the text's order, the changes a of a row by one and b by those before become
// a + b - max(0, a.b) (a / (2 a.a) + b / (2 b.b)). RACING: a thread beside others has nodes 0..1023
// of HIERARCHICAL_SOFTMAX for itself for 16 times 1024 tokens, and their changes become one in the
// same way.
#define WEFT_WORD2VEC(P, I, D, W)                                              \
  P(tokens, IN, INT32, token_count, MOVES(count))                              \
  P(keep, IN, INT32, words, MOVES(count))                                      \
  P(thresholds, IN, INT32, words, NULLABLE, MOVES(count))                      \
  P(aliases, IN, INT32, words, NULLABLE, BELOW(words), MOVES(count))           \
  P(offsets, IN, INT32, words + 1, NULLABLE, BELOW(path_nodes + 1), MOVES(count)) \
  P(nodes, IN, INT32, path_nodes, NULLABLE, BELOW(outputs), MOVES(count))      \
  P(bits, IN, UINT8, path_nodes, NULLABLE, MOVES(count))                       \
  P(state, IN, STATE, 1)                                                       \
  P(input, INOUT, F32, words * cols, MOVES(count * cols))                      \
  P(output, INOUT, F32, outputs * cols, MOVES(count * cols))                   \
  P(sums, INOUT, F64, 2)                                                       \
  I(count) I(token_count) I(words) I(outputs) I(path_nodes) I(cols)            \
  I(model, WORD_MODEL) I(objective, WORD_OBJECTIVE)                            \
  I(window) I(negatives) I(sharing) D(fall) I(order, WORD_ORDER)                       \
  W(count, 6 * count * cols * (window + 1) * (negatives + 1))

#define WEFT_WORD2VEC_ENUMS(L)                               \
  L(word_model, WEFT_WORD_MODEL, , WEFT_WORD_MODELS)         \
  L(word_objective, WEFT_WORD_OBJECTIVE, , WEFT_WORD_OBJECTIVES) \
  L(word_order, WEFT_WORD_ORDER, , WEFT_WORD_ORDERS)

#define WEFT_WORD2VEC_STRUCTS(S) S(word2vec, WEFT_WORD2VEC)

#define WEFT_WORD2VEC_KERNELS(K) K(HOST, word2vec, word2vec, 0, 0, RACES(input), RACES(output))
