#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bench/build-times.sh [RUNS [PART...]]: how long the last commit of this checkout takes to build, as a
# table, three runs of each part where nothing is named:
#   fresh   from git clone to the end of ./weft train
#   cpp     a source of the CPU's kernels changed: to a running ./weft
#   cu      a source of the CUDA kernels changed: to a running ./weft
#   verify  from git clone to the end of mvn verify
# Clones lie in a temporary folder (TMPDIR); Maven's repository should have all already, so that nothing
# is fetched. WEFT_CUDA_ARCHS names the chips, as for any build.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")
runs=${1:-3}
parts=("${@:2}")
((${#parts[@]})) || parts=(fresh cpp cu verify)
if [[ ! "$runs ${parts[*]}" =~ ^[1-9][0-9]*(\ (fresh|cpp|cu|verify))+$ ]]; then
  sed -n '4,/^set/s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
clone=$work/weft
export WEFT_CACHE=$work/cache
mkdir -m 700 "$WEFT_CACHE"

version() { command -v "$1" >/dev/null && "$@" 2>/dev/null | grep -oE '[0-9]+\.[0-9]+(\.[0-9]+)*' | head -n 1 || echo none; }

clone() { rm -rf -- "$clone" && git clone -q "$root" "$clone" && cd "$clone"; }
# another content each time, for a tool that looks at it
change() { cd "$clone" && echo "namespace weft_$RANDOM$RANDOM {}" >>"$1" && ./weft --version; }
fresh() { clone && ./weft train --out "$work/model.safetensors" --overwrite; }
cpp() { change native/cpu/activation.cpp; }
cu() { change native/cuda/unary.cu; }
verify() { clone && mvn -B -ntp verify; }

# timed PART: its seconds, and those of all processors together
timed() {
  local TIMEFORMAT='%R %U %S' times
  times=$( { time "$1" </dev/null &>"$work/log"; } 2>&1) || {
    tail -n 30 "$work/log" >&2
    echo "build-times.sh: $1 failed" >&2
    exit 1
  }
  awk '{ printf "%.0f %.0f\n", $1, $2 + $3 }' <<<"$times"
}

echo "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(nproc) processors, load before" \
  "$(cut -d' ' -f1-3 /proc/loadavg); commit $(git -C "$root" rev-parse --short HEAD), chips" \
  "${WEFT_CUDA_ARCHS:-by default}; Maven $(version mvn -B --version), CMake $(version cmake --version)," \
  "Ninja $(version ninja --version), g++ $(version g++ --version), nvcc $(version nvcc --version)"
echo
echo '| part | least s | median s | most s | median of processor seconds |'
echo '| --- | ---: | ---: | ---: | ---: |'
for part in "${parts[@]}"; do
  # something to change
  [[ $part == fresh || $part == verify || -e $clone/java/cli/target/built ]] || timed fresh >/dev/null
  for ((run = 0; run < runs; run++)); do timed "$part"; done >"$work/times"
  mapfile -t wall < <(cut -d' ' -f1 "$work/times" | sort -n)
  mapfile -t used < <(cut -d' ' -f2 "$work/times" | sort -n)
  echo "| $part | ${wall[0]} | ${wall[runs / 2]} | ${wall[-1]} | ${used[runs / 2]} |"
done
