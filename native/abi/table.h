// SPDX-License-Identifier: Apache-2.0
//
// Tables whose rows are taken by number. What a batch adds to the rows is brought in one order first:
// ids are sorted, stably, and the gradients of equal ids added up in that order, by tiles of 32 places,
// so that a row that is taken often keeps many threads busy, and the sums are the same every time.
//
// A run is all places of equal ids; its head is its first place. An id may be any int32: those that
// are no row of the table sort with the others, and are left out. -1 is padding: no row is meant.

// sorted are the ids, ascending, equal ones in their order; order[p] is the place that sorted[p] came
// from. Of more than 1024 they are in an order between that and the ids' own: merge_chunks, on the
// same device, ends the sort. (A GPU sorts each 1024 by themselves, a CPU leaves all to the end.)
#define WEFT_SORT_CHUNKS(P, I, D, W) \
  P(ids, IN, INT32, n)               \
  P(sorted, OUT, INT32, n)           \
  P(order, OUT, INT32, n)            \
  I(n)                               \
  W(n, 0)

// The same for all n, from what sort_chunks gives, or from each 1024 sorted by themselves.
#define WEFT_MERGE_CHUNKS(P, I, D, W) \
  P(chunk_sorted, IN, INT32, n)       \
  P(chunk_order, IN, INT32, n)        \
  P(sorted, OUT, INT32, n)            \
  P(order, OUT, INT32, n)             \
  I(n)                                \
  W(n, 0)

// For each part of a run that lies in one tile, places 32 t up to 32 (t + 1) of sorted:
//   sums[first place of that part, :] = scale * sum of dy[order[p], :] over its places p, in order
// Other rows of sums stay as they are, for which sums is INOUT; bytes are counted as if all were
// written, and none read. Negative ids have no sum. A work item is four columns of a tile.
#define WEFT_SUM_RUNS(P, I, D, W)                                          \
  P(order, IN, INT32, rows, BELOW(rows))                                   \
  P(sorted, IN, INT32, rows)                                               \
  P(dy, IN, T, rows * cols)                                                \
  P(sums, INOUT, WIDE, rows * cols, MOVES(weft_ceil_div(rows * cols, 2)))  \
  I(rows) I(cols) D(scale)                                                 \
  W(weft_ceil_div(rows, 32) * weft_ceil_div(cols, 4), rows * cols)

// dense[id, :] += sum of what sum_runs left of the run of id, in order: at its head and at each
// multiple of 32 in it. A work item is four columns of a place.
#define WEFT_ADD_ROWS(P, I, D, W)                            \
  P(sorted, IN, INT32, rows, BELOW(table_rows))              \
  P(sums, IN, T, rows * cols)                                \
  P(dense, INOUT, T, table_rows * cols, MOVES(rows * cols))  \
  I(rows) I(cols) I(table_rows)                              \
  W(rows * weft_ceil_div(cols, 4), 2 * rows * cols)

// squares[p] = the sum over columns of the square of what add_rows would add for the run that begins
// at p; 0 where none of a row of the table does. Their sum is that of the squares of a gradient of
// rows.
#define WEFT_RUN_SQUARES(P, I, D, W)             \
  P(sorted, IN, INT32, rows, BELOW(table_rows))  \
  P(sums, IN, T, rows * cols)                    \
  P(squares, OUT, T, rows)                       \
  I(rows) I(cols) I(table_rows)                  \
  W(rows, 3 * rows * cols)

#define WEFT_BAG_FUNCTION(E)                                 \
  E(SUM, "the sum of the bag's rows")                        \
  E(MEAN, "their sum, divided by how many there are")

// y[b, :] = the function of table[ids[i], :], i from offsets[b] up to offsets[b + 1], of the last bag
// up to rows; where offsets is 0 all bags are equally long, and rows is a multiple of bags. Padding is
// left out; counts[b] is how many rows there are, and y[b, :] 0 of none. NaN, and -1 for the count,
// where another one of the ids is no row of the table, or the bag ends before it begins or reaches out
// of 0..rows; nothing is read for those. A work item is four columns of a bag.
#define WEFT_EMBEDDING_BAG_FORWARD(P, I, D, W)                         \
  P(table, IN, T, table_rows * cols, MOVES(rows * cols))               \
  P(ids, IN, INT32, rows, BELOW(table_rows))                           \
  P(offsets, IN, INT32, bags, NULLABLE, BELOW(rows + 1))               \
  P(y, OUT, T, bags * cols)                                            \
  P(counts, OUT, INT32, bags)                                          \
  I(rows) I(cols) I(table_rows) I(bags) I(function, BAG_FUNCTION)      \
  W(bags * weft_ceil_div(cols, 4), rows * cols)

// drows[i, :] = dy[b, :] (MEAN: divided by counts[b]) of the last bag b that begins at or before i;
// 0 where that has no i, where ids[i] is negative, or counts[b] not positive. A work item is four
// columns of a row.
#define WEFT_EMBEDDING_BAG_BACKWARD(P, I, D, W)                        \
  P(ids, IN, INT32, rows)                                              \
  P(offsets, IN, INT32, bags, NULLABLE, BELOW(rows + 1))               \
  P(counts, IN, INT32, bags)                                           \
  P(dy, IN, T, bags * cols)                                            \
  P(drows, OUT, T, rows * cols)                                        \
  I(rows) I(cols) I(bags) I(function, BAG_FUNCTION)                    \
  W(rows * weft_ceil_div(cols, 4), function == WEFT_BAG_MEAN ? rows * cols : 0)

#define WEFT_TABLE_ENUMS(L) L(bag_function, WEFT_BAG_FUNCTION, BAG_, WEFT_BAG_FUNCTIONS)

#define WEFT_TABLE_STRUCTS(S)                            \
  S(sort_chunks, WEFT_SORT_CHUNKS)                       \
  S(merge_chunks, WEFT_MERGE_CHUNKS)                     \
  S(sum_runs, WEFT_SUM_RUNS)                             \
  S(add_rows, WEFT_ADD_ROWS)                             \
  S(run_squares, WEFT_RUN_SQUARES)                       \
  S(embedding_bag_forward, WEFT_EMBEDDING_BAG_FORWARD)   \
  S(embedding_bag_backward, WEFT_EMBEDDING_BAG_BACKWARD)

#define WEFT_TABLE_KERNELS(K)                                          \
  K(UNTYPED, sort_chunks, sort_chunks, 256, 64)                        \
  K(UNTYPED, merge_chunks, merge_chunks, 128, 128)                     \
  K(TYPED, sum_runs, sum_runs, 64, 64)                                 \
  K(WIDE, add_rows, add_rows, 128, 128)                                \
  K(WIDE, run_squares, run_squares, 128, 4)                            \
  K(TYPED, embedding_bag_forward, embedding_bag_forward, 64, 64)       \
  K(TYPED, embedding_bag_backward, embedding_bag_backward, 128, 128)
