// SPDX-License-Identifier: Apache-2.0
//
// How many threads a program runs on: found by its own times, since what others do on the machine,
// a quota, and how near two processors are to each other cannot be asked for.
#ifndef WEFT_CPU_GOVERNOR_H
#define WEFT_CPU_GOVERNOR_H

#include "../abi/library.h"

namespace weft {

// Threads for the next run of what `pace` belongs to, at most `limit`.
int64_t threads_of_next_run(weft_pace& pace, int64_t limit);

// Notes that a run has taken so long for so much work, above 0. shared: whether it was worth more
// than one thread, of which it then had so many.
void note_run(weft_pace& pace, int64_t nanoseconds, double work, int64_t threads, bool shared);

}  // namespace weft
#endif  // WEFT_CPU_GOVERNOR_H
