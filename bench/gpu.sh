#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bench/gpu.sh BUNDLE [OUT]: everything that Weft can show on a machine with a GPU, in under nine
# minutes, from a bundle: no Java, no Maven, no network. BUNDLE is the folder that
# "weft bundle --with-bench" makes, or a .tar.gz of it; OUT receives the logs and the JSON (default:
# $OUT, else gpu-results). Parts that fail or take too long do not stop the others. A short table
# comes last, and is OUT/summary.txt, too. Exit status: 0 where every part that ran ended well or
# when its time was over; else 1.
#   WEFT_GPU_MINUTES   the time for all of it; default: 8.5
#   WEFT_GPU_SMALL     not empty: small sizes, to rehearse where the GPU is an emulated one
set -u

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
bundle=${1:?usage: bench/gpu.sh BUNDLE [OUT]}
out=${2:-${OUT:-gpu-results}}
mkdir -p "$out/parts" && out=$(cd -- "$out" && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf -- "$work"' EXIT
if [[ -f $bundle ]]; then
  tar -xzf "$bundle" -C "$work" || exit 1
  bundle=$(dirname -- "$(dirname -- "$(find "$work" -path '*/bin/weft' -print -quit)")")
fi
bundle=$(cd -- "$bundle" && pwd) || exit 1
weft=$bundle/bin/weft
export WEFT_CACHE=$work/cache PYTHONUNBUFFERED=1
end=$((SECONDS + $(awk "BEGIN {print int(60 * ${WEFT_GPU_MINUTES:-8.5})}")))
table=()
failed=0

# part NAME SECONDS COMMAND...: runs it within its time and what is left of all; its output goes to
# OUT/parts/NAME.log. The row of the table ends with the last line of it that matches $shows.
shows=
part() {
  local name=$1 most=$2 started=$SECONDS code said=
  shift 2
  ((most <= end - SECONDS)) || most=$((end - SECONDS))
  if ((most < 3)); then
    table+=("$(printf '%-22s %6s %5s  %s' "$name" - - 'no time was left')")
    shows=
    return 1
  fi
  printf -- '---- %s (at most %d s): %s\n' "$name" "$most" "$*"
  (cd "$work" && timeout -k 5 "$most" "$@") </dev/null >"$out/parts/$name.log" 2>&1
  code=$?
  tail -n 40 "$out/parts/$name.log"
  ((code == 0)) || shows='^weft: |[Ee]rror|Exception'
  [[ -z $shows ]] || said=$(grep -E -- "$shows" "$out/parts/$name.log" | tail -n 1 | cut -c1-90)
  [[ -n $said ]] || said=$(grep -v '^[[:space:]]*$' "$out/parts/$name.log" | tail -n 1 | cut -c1-90)
  case $code in
    0) code=ok ;;
    124 | 137) code="time" ;;
    *) failed=1 ;;
  esac
  table+=("$(printf '%-22s %6s %5d  %s' "$name" "$code" $((SECONDS - started)) "$said")")
  shows=
  [[ $code == ok ]]
}

row() {
  table+=("$(printf '%-22s %6s %5s  %s' "$1" "$2" '' "$3")")
}

# same NAME A B: whether two files hold the same bytes
same() {
  if [[ ! -e $2 || ! -e $3 ]]; then
    row "$1" - 'a file is missing'
    failed=1
  elif cmp -s "$2" "$3"; then
    row "$1" ok 'the same bits'
  else
    row "$1" DIFFER "$(cmp "$2" "$3" 2>&1 | sed 's|.*/||' | cut -c1-80)"
    failed=1
  fi
}

if [[ -n ${WEFT_GPU_SMALL:-} ]]; then
  digits=600 epochs=1 hidden=32 memory=0.3 seconds=0.1
else
  digits=60000 epochs=3 hidden=512,512 memory=16 seconds=1
fi

# ---- what is there ----
if command -v nvidia-smi >/dev/null; then
  shows='NVIDIA|%' part nvidia-smi 20 nvidia-smi
else
  row nvidia-smi - 'is not installed'
fi
shows='cuda:0' part doctor 60 "$weft" doctor
if ! grep -q 'cuda:0' "$out/parts/doctor.log"; then
  # what the search should have found; the row above says that it did not
  cublas=$(python3 - <<'P' 2>/dev/null
import glob, site, sys
places = site.getsitepackages() + [site.getusersitepackages()] + sys.path
print(next(f for p in places for f in glob.glob(p + "/nvidia/*/lib/libcublas.so.1[23]")))
P
  )
  if [[ -n $cublas ]]; then
    export WEFT_CUBLAS=$cublas
    shows='cuda:0' part doctor-named-cublas 60 "$weft" doctor
  fi
fi
part devices 30 "$weft" devices

# ---- is it right ----
if [[ -n ${WEFT_GPU_SMALL:-} ]]; then
  shows='passed|failed|wrong' part selftest 120 "$weft" selftest --device cuda --quick \
    --json "$out/parts/selftest.json"
else
  shows='passed|failed|wrong' part selftest 100 "$weft" selftest --device cuda \
    --json "$out/parts/selftest.json"
fi
shows='passed|failed|gradients' part gradcheck 60 "$weft" gradcheck --device cuda

train() {
  local name=$1 device=$2
  shift 2
  shows='accuracy' part "train-$name" 60 "$weft" train --device "$device" --digits "$digits" \
    --epochs "$epochs" --hidden "$hidden" --batch 128 --seed 1 --plain \
    --out "$work/$name.safetensors" --log "$out/parts/train-$name.jsonl" "$@"
}
train cuda-1 cuda
train cuda-2 cuda
same 'two runs, one seed' "$work/cuda-1.safetensors" "$work/cuda-2.safetensors"
train streamed cuda --data-memory "$memory"
same 'streamed, resident' "$work/cuda-1.safetensors" "$work/streamed.safetensors"
train fast cuda --math fast
train bf16 cuda --math bf16
train cpu cpu

# ---- how fast is it ----
part profile 40 "$weft" train --device cuda --digits "$digits" --hidden "$hidden" --dropout 0 \
  --batch 128 "--profile=$out/parts/trace.json"
peers=()
if python3 -c 'import torch' 2>/dev/null; then
  for dtype in f32 tf32 bf16; do
    part "torch-$dtype" 45 python3 "$here/peers/torch_steps.py" --device cuda --dtype "$dtype" \
      --mode eager --mode graph --seconds "$seconds" --json "$out/parts/torch-$dtype.json"
    [[ ! -s $out/parts/torch-$dtype.json ]] ||
      peers+=(--peer-json "$out/parts/torch-$dtype.json")
  done
else
  row torch - 'no PyTorch here'
fi
# bench NAME SECONDS PART...: what there is when its time is over is written all the same
bench() {
  local name=$1 most=$2
  shift 2
  part "bench-$name" $((most + 20)) "$weft" bench "$@" --peer none --quick --turns 1 \
    --minutes "$(awk "BEGIN {print $most / 60}")" --json "$out/parts/bench-$name.json" \
    --html "$out/parts/bench-$name.html"
}
bench steps 70 steps --device cuda ${peers[@]+"${peers[@]}"}
bench kernels 60 kernels --device cuda
bench ceilings 50 ceilings --device cuda

# ---- what the checker says; last, because it is slow ----
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck initcheck synccheck; do
    shows='ERROR SUMMARY|RACECHECK SUMMARY' part "sanitizer-$tool" 60 compute-sanitizer \
      --tool "$tool" --error-exitcode 9 --target-processes all \
      "$bundle/java/bin/java" --enable-native-access=ALL-UNNAMED -cp "$bundle/lib/*" \
      dev.weft.cli.Main selftest --device cuda --quick
  done
else
  row compute-sanitizer - 'is not installed'
fi

# ---- the processor beside it, in the time that is left ----
bench steps-cpu 40 steps --device cpu

cat "$out"/parts/*.log >"$out/gpu.log"
tar -C "$out" -czf "$out/gpu-parts.tar.gz" parts
{
  printf '%-22s %6s %5s  %s\n' part result s says
  printf '%s\n' "${table[@]}"
} | tee "$out/summary.txt"
exit "$failed"
