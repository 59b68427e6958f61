#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bench/gpu.sh BUNDLE [OUT [PHASE]]: what Weft can show on a machine with a GPU, from a bundle: no
# Java, no Maven, no network. BUNDLE is the folder that "weft bundle --with-bench" makes, or a
# .tar.gz of it; OUT receives the results (default: $OUT, else gpu-results). PHASE is
#   check      is it right: doctor, self-test, gradients, training on the GPU and on the CPU
#   speed      is it fast: products, kernels and steps beside PyTorch's, and the CPU
#   sanitize   what compute-sanitizer says
#   all        these three in one go, with the time shared out; the default
# Each ends within its time, and a part that fails or hangs does not stop the others. In OUT:
# summary.txt, the table that comes last; summary.json, the same for machines; targets.md, the
# figures beside the targets; gpu.log and gpu-parts.tar.gz, all logs and JSON.
# Verdicts: PASS; FAIL; TIME, it ran out of time; MISS, a target of speed was not reached; -, it is
# not here or was not measured. Exit status: 1 where anything is FAIL, else 2 where anything is
# TIME, else 3 where anything is MISS, else 0.
#   WEFT_MNIST         a folder of MNIST's four IDX files to train on; default: generated digits
#   WEFT_GPU_MINUTES   the time for all of it; default: 8.5
#   WEFT_GPU_SMALL     not empty: small sizes, to rehearse over an emulated GPU; PyTorch on the CPU
#   WEFT_COMMIT        what the bundle was made of; default: what git says here
set -u

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
bundle=${1:?usage: bench/gpu.sh BUNDLE [OUT [check|speed|sanitize|all]]}
out=${2:-${OUT:-gpu-results}}
phase=${3:-all}
case $phase in
  check | speed | sanitize | all) ;;
  *) echo "gpu.sh: $phase is none of check, speed, sanitize, all" >&2 && exit 64 ;;
esac
small=${WEFT_GPU_SMALL:-}
rm -rf -- "$out/parts" "$out/targets.md" # of a run that was killed
mkdir -p "$out/parts" && out=$(cd -- "$out" && pwd) || exit 1
parts=$out/parts
work=$(mktemp -d) || exit 1
trap 'rm -rf -- "$work"' EXIT
if [[ -f $bundle ]]; then
  tar -xzf "$bundle" -C "$work" || exit 1
  bundle=$(dirname -- "$(dirname -- "$(find "$work" -path '*/bin/weft' -print -quit)")")
fi
bundle=$(cd -- "$bundle" && pwd) || exit 1
weft=$bundle/bin/weft
[[ -x $weft ]] || { echo "gpu.sh: $bundle is no bundle: it has no bin/weft" >&2 && exit 1; }
[[ -z ${WEFT_MNIST:-} ]] || WEFT_MNIST=$(cd -- "$WEFT_MNIST" && pwd) || exit 1
export WEFT_CACHE=$work/cache PYTHONUNBUFFERED=1
total=$(awk "BEGIN {print int(60 * ${WEFT_GPU_MINUTES:-8.5})}")
end=$((SECONDS + total))
# the first import takes long on a fresh machine, and brings cuBLAS into memory
python3 -c 'import torch' >/dev/null 2>&1 &
commit=${WEFT_COMMIT:-$(git -C "$here" rev-parse HEAD 2>/dev/null)}
date=$(date -u +%Y-%m-%dT%H:%M:%SZ)

# ---- the table ----
names=() verdicts=() seconds=() says=()

# row NAME VERDICT SECONDS TEXT; the summary is written anew: a run that is killed leaves one
row() {
  names+=("$1") verdicts+=("${2:-FAIL}") seconds+=("$3") says+=("${4//$'\t'/ }")
  write_json
}

text_table() {
  printf '%-64s %-4s %5s  %s\n' fact '' s says
  for i in "${!names[@]}"; do
    printf '%-64s %-4s %5s  %s\n' "${names[i]}" "${verdicts[i]}" "${seconds[i]}" "${says[i]}"
  done
}

status() {
  case " ${verdicts[*]} " in
    *' FAIL '*) echo 1 ;;
    *' TIME '*) echo 2 ;;
    *' MISS '*) echo 3 ;;
    *) echo 0 ;;
  esac
}

# a string of JSON, in ASCII, or null where there is none
quoted() {
  local text
  text=$(printf '%s' "$1" | LC_ALL=C tr -cd '\040-\176' | sed 's/\\/\\\\/g; s/"/\\"/g')
  if [[ -n $text ]]; then printf '"%s"' "$text"; else printf null; fi
}

write_json() {
  local i comma=
  {
    printf '{\n  "phase": %s,\n  "date": %s,\n  "commit": %s,\n' \
      "$(quoted "$phase")" "$(quoted "$date")" "$(quoted "$commit")"
    printf '  "seconds": %d,\n  "status": %d,\n' "$SECONDS" "$(status)"
    printf '  "machine": {"cpu": %s, "cores": %d, "gpu": %s, "driver": %s, "weft_sees": %s},\n' \
      "$(quoted "$cpu")" "$(nproc)" "$(quoted "$gpu")" "$(quoted "$driver")" "$(quoted "$sees")"
    printf '  "versions": {"weft": %s, "java": %s, "python": %s, "torch": %s},\n  "facts": [' \
      "$(quoted "$version")" "$(quoted "$java")" "$(quoted "$python")" "$(quoted "$torch")"
    for i in "${!names[@]}"; do
      printf '%s\n    {"name": %s, "verdict": "%s", "seconds": %s, "says": %s}' "$comma" \
        "$(quoted "${names[i]}")" "${verdicts[i]}" "${seconds[i]:-null}" "$(quoted "${says[i]}")"
      comma=,
    done
    printf '\n  ]\n}\n'
  } >"$out/summary.json.new" && mv "$out/summary.json.new" "$out/summary.json"
}

left() { echo $((end - SECONDS)); }

# within SECONDS: so many, and at most one of $share parts of what is left
within() {
  local most=$((($(left) + share - 1) / share))
  echo $((most < $1 ? most : $1))
}

# why NAME...: the verdict on something that is missing though it should come from these parts: no
# failure of its own where one of them did not end well
why() {
  local i name
  for name in "$@"; do
    for i in "${!names[@]}"; do
      [[ ${names[i]} != "$name" || ${verdicts[i]} == PASS ]] || { echo - && return; }
    done
  done
  echo FAIL
}

# part NAME SECONDS COMMAND...: runs it within its time and a part of what is left, so that one that
# hangs leaves time for the others; its output goes to parts/NAME.log. What it says is the last
# line that matches $shows; it fails, too, where no line matches $needs or one matches $wrong. Where
# $extra is not empty, running out of time is no loss.
shows='' needs='' wrong='' extra='' share=2
part() {
  local name=$1 most=$2 started=$SECONDS log code said='' verdict
  log=$parts/$1.log
  shift 2
  most=$(within "$most")
  if ((most < 3)); then
    row "$name" "$([[ -n $extra ]] && echo - || echo TIME)" 0 'no time was left'
    return 1
  fi
  printf -- '---- %s (at most %d s): %s\n' "$name" "$most" "$*"
  (cd "$work" && timeout -k 5 "$most" "$@") </dev/null >"$log" 2>&1
  code=$?
  tail -n 40 "$log"
  case $code in
    0) verdict=PASS ;;
    124 | 137) verdict=TIME ;;
    *) verdict=FAIL ;;
  esac
  if [[ -n $wrong ]] && grep -qE -- "$wrong" "$log"; then
    verdict=FAIL said="$(grep -cE -- "$wrong" "$log") findings: $(grep -m 1 -E -- "$wrong" "$log")"
  elif [[ $verdict == PASS && -n $needs ]] && ! grep -qE -- "$needs" "$log"; then
    verdict=FAIL said="no line matches: $needs"
  elif [[ $verdict == PASS ]] && grep -q 'then --minutes were over' "$log"; then
    verdict=TIME
  fi
  if [[ $verdict == FAIL && -z $said ]]; then
    local words="^weft( bench)?: |^Invalid|^Unknown|WRONG|FAILED|[Ee]rror|Exception"
    said=$(grep -E -- "$words${shows:+|$shows}" "$log" | tail -n 1)
  elif [[ -z $said && -n $shows ]]; then
    said=$(grep -E -- "$shows" "$log" | tail -n 1)
  fi
  [[ -n $said ]] || said=$(grep -v '^[[:space:]]*$' "$log" | tail -n 1)
  [[ $verdict != TIME ]] || said="stopped after $((SECONDS - started)) s: $said"
  [[ $verdict != TIME || -z $extra ]] || verdict=-
  row "$name" "$verdict" $((SECONDS - started)) "${said:0:110}"
  [[ $verdict == PASS ]]
}

# same NAME A B KIND: whether two trainings left the same bytes
same() {
  local a=$work/$2.$4 b=$work/$3.$4
  if [[ ! -s $a || ! -s $b ]]; then
    row "$1" "$(why "train-$2" "train-$3")" '' "there are no $4 of $2 or $3"
  elif cmp -s "$a" "$b"; then
    row "$1" PASS '' 'the same bits'
  else
    row "$1" FAIL '' "$(cmp "$a" "$b" 2>&1 | sed 's|/[^ ]*/||g' | cut -c1-100)"
  fi
}

# ---- where this runs ----
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
gpu='' driver='' sees='' version='' java='' torch=''
python=$(python3 -c 'import platform; print(platform.python_version())' 2>/dev/null)

machine() {
  local fields=name,driver_version,clocks.sm,clocks.max.sm,clocks.mem,power.limit,temperature.gpu
  if command -v nvidia-smi >/dev/null; then
    if shows='MHz|W' part nvidia-smi 20 nvidia-smi --format=csv,noheader "--query-gpu=$fields"; then
      gpu=$(cut -d, -f1 "$parts/nvidia-smi.log" | head -n 1)
      driver=$(cut -d, -f2 "$parts/nvidia-smi.log" | head -n 1 | tr -d ' ')
    fi
    timeout 20 nvidia-smi -q -d CLOCK,POWER,PERFORMANCE,MEMORY >"$parts/nvidia-smi-q.log" 2>&1
  else
    row nvidia-smi - '' 'is not installed'
  fi
  if ! needs='ok +cuda:0' shows='cuda:0' part doctor 60 "$weft" doctor; then
    # what the search should have found; the row above says that it did not
    local cublas
    cublas=$(
      python3 - <<'P' 2>/dev/null
import glob, site, sys
places = site.getsitepackages() + [site.getusersitepackages()] + sys.path
print(next(f for p in places for f in glob.glob(p + "/nvidia/*/lib/libcublas.so.1[23]")))
P
    )
    if [[ -n $cublas ]]; then
      export WEFT_CUBLAS=$cublas
      needs='ok +cuda:0' shows='cuda:0' part doctor-named-cublas 60 "$weft" doctor
    fi
  fi
  sees=$(sed -n 's/^ *ok *cuda:0: //p' "$parts"/doctor*.log | tail -n 1)
  version=$(sed -n 's/^weft  *//p' "$parts/doctor.log")
  java=$(sed -n 's/^Java  *\([^,]*\).*/\1/p' "$parts/doctor.log")
}

# ---- check ----
if [[ -n $small ]]; then
  epochs=1 hidden=32 memory=0.3 apart=0.1 least=0
  data=(--digits 600)
else
  epochs=4 hidden=512,512 memory=16 apart=0.005 least=0.97
  data=(--digits 60000)
fi
[[ -z ${WEFT_MNIST:-} ]] || data=(--data "$WEFT_MNIST")

train() {
  local name=$1 device=$2
  shift 2
  shows='test accuracy' part "train-$name" 90 "$weft" train --device "$device" "${data[@]}" \
    --epochs "$epochs" --hidden "$hidden" --batch 128 --seed 1 --plain \
    --out "$work/$name.safetensors" --log "$parts/train-$name.jsonl" "$@"
  # losses and accuracies of every epoch, without the times
  [[ ! -s $parts/train-$name.jsonl ]] ||
    sed 's/, *"seconds".*//' "$parts/train-$name.jsonl" >"$work/$name.losses"
}

accuracy() {
  sed -n '$s/.*"test_accuracy": *\([0-9.eE+-]*\).*/\1/p' "$parts/train-$1.jsonl" 2>/dev/null
}

# close NAME A B: whether both learned, and test accuracies differ by $apart at most
close() {
  local a b
  a=$(accuracy "$2") b=$(accuracy "$3")
  if [[ -z $a || -z $b ]]; then
    row "$1" "$(why "train-$2" "train-$3")" '' "there is no accuracy of $2 or $3"
    return
  fi
  row "$1" "$(awk -v a="$a" -v b="$b" -v d="$apart" -v l="$least" \
    'BEGIN {x = a - b; print (x <= d && -x <= d && a >= l && b >= l) ? "PASS" : "FAIL"}')" '' \
    "$(awk -v a="$a" -v b="$b" -v d="$apart" -v l="$least" 'BEGIN {
      printf "%.2f %% and %.2f %%; at most %.1f points apart, at least %.0f %%",
        100 * a, 100 * b, 100 * d, 100 * l}')"
}

check() {
  part devices 30 "$weft" devices
  shows='passed|failed|wrong' part selftest 150 "$weft" selftest --device cuda \
    ${small:+--quick} --json "$parts/selftest.json"
  shows='passed|failed|wrong' part gradcheck-f64 90 "$weft" gradcheck --device cuda
  train cuda-1 cuda
  train cuda-2 cuda
  same 'two runs, one seed: network' cuda-1 cuda-2 safetensors
  same 'two runs, one seed: losses' cuda-1 cuda-2 losses
  train cpu cpu
  close 'accuracy: GPU, CPU' cuda-1 cpu
  train streamed cuda --data-memory "$memory"
  same 'streamed and resident data: network' cuda-1 streamed safetensors
  same 'streamed and resident data: losses' cuda-1 streamed losses
  train fast cuda --math fast
  close 'accuracy: strict, fast' cuda-1 fast
  train bf16 cuda --math bf16
  close 'accuracy: strict, bf16' cuda-1 bf16
}

# ---- speed ----
measured=() peers=()

# bench NAME SECONDS PART...: what there is when its time is over is written all the same
bench() {
  local name=$1 most=$2
  shift 2
  most=$(within "$most")
  # a measurement that began takes some seconds more
  part "$name" "$most" "$weft" bench "$@" --peer none --quick --turns 1 \
    --minutes "$(awk "BEGIN {m = ($most - 15) / 60; print (m > 0.05) ? m : 0.05}")" \
    --json "$parts/$name.json"
  [[ ! -s $parts/$name.json ]] || measured+=("$parts/$name.json")
}

# peer NAME SECONDS OPTION...
peer() {
  local name=$1 most=$2
  shift 2
  # on a processor PyTorch has no TF32
  [[ -n $torch && $peer_device-$* != 'cpu---dtype tf32'* ]] || return 0
  needs=' us ' shows=' us |failed' part "$name" "$most" python3 "$here/peers/torch_steps.py" \
    --device "$peer_device" --seconds "$peer_seconds" --json "$parts/$name.json" "$@"
  [[ ! -s $parts/$name.json ]] || peers+=(--peer-json "$parts/$name.json")
}

# turn N NAME TORCH_SECONDS WEFT_SECONDS TORCH_TYPE WEFT_MATH STEP ROWS: PyTorch, and then Weft
turn() {
  peer "torch-$2-$5-$1" "$3" --dtype "$5" --mode eager --mode graph --mode compile --step "$7"
  bench "weft-$2-$6-$1" "$4" steps --device cuda --math "$6" --only "$8"
}

speed() {
  local step=128:784-512-512-10 rows='784-512-512-10, batch 128$' n type
  local wide=8192:4096-4096-4096-4096-4096 wide_rows='4096-4096-4096-4096-4096, batch 8192$'
  local copies='^copy, memory$' products='^gemm.* (4096|8192) x .*forward$'
  local kernels='^(relu|gelu|softmax|dropout|layer|sgd|adam).*, memory$' others=', memory$'
  local on_cpu='^gemm.* 4096 x .*forward$' profiled=cuda
  local -A math=([f32]=strict [tf32]=fast [bf16]=bf16)
  peer_device=cuda peer_seconds=0.7
  if [[ -n $small ]]; then
    step=16:784-100-100-10 rows='784-100-100-10, batch 16$' wide='' others=''
    copies='^copy, cache$' products='^gemm.* 64 x .*forward$' kernels='^relu_forward, cache$'
    # the emulator would take minutes for the copies that a profile needs
    on_cpu=$products profiled=cpu peer_device=cpu peer_seconds=0.1
  fi
  torch=$(timeout 60 python3 -c 'import torch; print(torch.__version__)' 2>/dev/null)
  [[ -n $torch ]] || row torch - '' 'no PyTorch here'
  # the last of the time is for the tables
  end=$((end - 15))

  for type in f32 tf32 bf16; do
    turn 1 step 60 45 $type "${math[$type]}" $step "$rows"
  done
  [[ -n $small ]] || peer torch-products 45 --products --dtype f32 --dtype tf32 --dtype bf16
  bench weft-ceilings-kernels 110 ceilings kernels --device cuda \
    --only "$copies|$products|$kernels"
  [[ -z $wide ]] || turn 1 wide 75 100 bf16 bf16 $wide "$wide_rows"
  extra=1 part profile 40 "$weft" train --device $profiled "${data[@]}" --hidden "$hidden" \
    --dropout 0 --batch 128 "--profile=$parts/trace.json"
  bench weft-cpu-step 60 steps --device cpu --only "$rows"

  # again, for as long as it lasts: a ratio of several turns has a spread
  extra=1
  for n in 2 3; do
    for type in f32 tf32 bf16; do
      (($(left) > 90)) || break 2
      turn $n step 40 30 $type "${math[$type]}" $step "$rows"
    done
    [[ -z $small ]] || break
    (($(left) > 150)) || break
    turn $n wide 50 70 bf16 bf16 $wide "$wide_rows"
  done
  (($(left) < 30)) ||
    bench weft-cpu 90 ceilings kernels --device cpu --only "$copies|$on_cpu|$kernels"
  [[ -z $others ]] || (($(left) < 30)) ||
    bench weft-kernels-all 100 kernels --device cuda --only "$others"
  extra=
  end=$((end + 15))
  targets
}

# the tables for bench/results/README.md, and a row for each target
targets() {
  local outcome what found
  ((${#measured[@]})) || { row targets FAIL '' 'nothing was measured' && return; }
  share=1 part targets 30 "$weft" bench targets "${measured[@]}" ${peers[@]+"${peers[@]}"} \
    --verdicts "$parts/verdicts.tsv" || return
  cp "$parts/targets.log" "$out/targets.md"
  while IFS=$'\t' read -r outcome what found; do
    case $outcome in
      met) row "$what" PASS '' "$found" ;;
      missed) row "$what" MISS '' "$found" ;;
      *) row "$what" - '' "$found" ;;
    esac
  done <"$parts/verdicts.tsv"
}

# ---- sanitize ----
sanitize() {
  local tools=(memcheck racecheck initcheck synccheck) i most
  local findings='^=+ +(Invalid|Uninitialized|Misaligned|Barrier error|Divergent|Race reported'
  findings+='|(Error|Warning): Race)'
  shows='passed|failed|wrong' part selftest-brief 60 "$weft" selftest --device cuda --brief
  if ! command -v compute-sanitizer >/dev/null; then
    row compute-sanitizer - '' 'is not installed'
    return
  fi
  share=1
  for i in "${!tools[@]}"; do
    most=$(($(left) / (${#tools[@]} - i)))
    ((most <= 125)) || most=125
    # what a tool had found counts also where its time was over; libraries may probe with calls that
    # fail, and Weft looks at every result itself
    needs='SUMMARY: 0 ' shows='SUMMARY' wrong="$findings" part "sanitizer-${tools[i]}" $most \
      compute-sanitizer --tool "${tools[i]}" --error-exitcode 9 --launch-timeout 0 \
      --report-api-errors no --target-processes all \
      "$bundle/java/bin/java" --enable-native-access=ALL-UNNAMED -Dweft.allocator=exact \
      -cp "$bundle/lib/*" dev.weft.cli.Main selftest --device cuda --brief
  done
}

machine
if [[ $phase == all ]]; then
  start=$((end - total))
  end=$((start + total * 35 / 100)) && check
  end=$((start + total * 75 / 100)) && speed
  end=$((start + total)) && sanitize
else
  "$phase"
fi

cat "$parts"/*.log >"$out/gpu.log"
tar -C "$out" -czf "$out/gpu-parts.tar.gz" parts && rm -rf -- "$parts"
write_json
text_table | tee "$out/summary.txt"
exit "$(status)"
