#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bench/gpu.sh BUNDLE OUT first|second [PART...]: what Weft can show on a machine with a GPU, from
# a bundle: no Java, no Maven, no network. BUNDLE is the folder that "weft bundle --with-bench"
# makes, with this script in it, or a .tar.gz of it; OUT receives the results.
#   first    at most 330 s: is it right, is it fast: doctor, self-test, gradients, training, and
#            then steps, products and kernels beside PyTorch's
#   second   at most 240 s: the parts that are named, else compute-sanitizer, ncu, torch.compile
#            and another turn of steps. Parts:
#              brief selftest gradcheck train harness memcheck racecheck
#              steps kernels wide profile fusion compile ncu
# What is right is found out side by side; what is timed is timed alone. A part that fails, hangs or
# prints without end stops no other. OUT is written anew after every part: a run that is killed
# leaves what it had measured. In OUT:
#   summary.txt    a line a fact; last of all at most 50 lines: FAIL, TIME, MISS, ten figures
#   summary.json   the same for machines
#   targets.md     the figures beside the targets
#   gpu.log        what every part printed; parts.tar.gz: their logs and JSON, in full
# Verdicts: PASS; FAIL; TIME, it ran out of time; MISS, a target of speed was not reached; -, it is
# not here or was not measured. Exit status: 1 where anything is FAIL, else 2 where anything is
# TIME, else 3 where anything is MISS, else 0; 143 where it was told to stop.
#   WEFT_MNIST         a folder of MNIST's four IDX files to train on; default: generated digits
#   WEFT_GPU_NCU       which kernels ncu looks at, a regular expression
#   WEFT_GPU_SECONDS   the time for all of it, in place of 330 or 240; limits of parts follow
#   WEFT_GPU_SMALL     not empty: small sizes, to rehearse over an emulated GPU; PyTorch on the CPU
#   WEFT_COMMIT        what the bundle was made of; default: what it says itself
# One file, long as it is: it is carried to where there is little else.
set -u
# what this starts reads file names as UTF-8; what it says itself is in ASCII
unset "${!LC_@}"
export LANG=C LC_CTYPE=C.UTF-8
LC_ALL=C

usage='usage: bench/gpu.sh BUNDLE OUT first|second [PART...]'
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
(($# >= 3)) || { echo "$usage" >&2 && exit 64; }
bundle=$1 out=$2 call=$3
shift 3
wanted=("$@")
known=(brief selftest gradcheck train harness memcheck racecheck
  steps kernels wide profile fusion compile ncu)
case $call in
  first) total=330 ;;
  second) total=240 ;;
  *) echo "gpu.sh: $call is neither first nor second; $usage" >&2 && exit 64 ;;
esac
for name in "${wanted[@]}"; do
  [[ " ${known[*]} " == *" $name "* ]] ||
    { echo "gpu.sh: $name is no part; parts: ${known[*]}" >&2 && exit 64; }
done
small=${WEFT_GPU_SMALL:-}
all=${WEFT_GPU_SECONDS:-$total}
end=$((SECONDS + all))
[[ -e $bundle ]] || { echo "gpu.sh: there is no $bundle" >&2 && exit 1; }
if [[ -f $out/summary.json ]] && ! grep -q "\"call\": \"$call\"" "$out/summary.json"; then
  echo "gpu.sh: $out holds the results of another call; name another folder" >&2 && exit 64
fi
for name in summary.txt targets.md gpu.log parts.tar.gz; do
  [[ -e $out/summary.json || ! -e $out/$name ]] ||
    { echo "gpu.sh: $out/$name is not of gpu.sh; name another folder" >&2 && exit 64; }
done
rm -f -- "$out"/{summary.txt,summary.json,targets.md,gpu.log,parts.tar.gz}
mkdir -p "$out" && out=$(cd -- "$out" && pwd) || exit 1
work=$(mktemp -d) || exit 1
parts=$work/parts
mkdir "$parts" && mkfifo "$work/never" && exec 8<>"$work/never" || exit 1
date=$(date -u +%Y-%m-%dT%H:%M:%SZ)
commit=${WEFT_COMMIT:-}
complete=false # until the last part was run

# ---- rows, and the files that hold them ----
names=() verdicts=() says=() lines=() entries=()
machine=() # a line each, for the head of the summary
gpu='' driver='' sees='' version='' java='' python='' torch=''
cores=$(nproc)
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)

# plain TEXT: sets $plain to it as a line of printable ASCII
plain() { plain=${1//[$'\t\n']/ } plain=${plain//[^ -~]/}; }

# row NAME VERDICT SECONDS TEXT
row() {
  add "$@"
  echo "${lines[-1]}"
  keep
}

# add: a row that is not said yet; no process is started for it, nor for what is written of it
add() {
  local text said
  plain "${4:0:300}"
  said=$plain
  names+=("$1") verdicts+=("$2") says+=("$said")
  printf -v text '%-4s %4s  %s: %s' "$2" "$3" "$1" "$said"
  lines+=("${text:0:100}")
  quote "$1" && text="\"name\": $quoted, \"verdict\": \"$2\", \"seconds\": ${3:-null}"
  quote "$said" && entries+=("{$text, \"says\": $quoted}")
}

status() {
  case " ${verdicts[*]} " in
    *' FAIL '*) echo 1 ;;
    *' TIME '*) echo 2 ;;
    *' MISS '*) echo 3 ;;
    *) echo 0 ;;
  esac
}

# quote TEXT: sets $quoted to a string of JSON, or null where there is none
quote() {
  plain "$1"
  plain=${plain//\\/\\\\} quoted=null
  [[ -z $plain ]] || quoted="\"${plain//\"/\\\"}\""
}

# field NAME TEXT [END]
field() { quote "$2" && printf '"%s": %s%s' "$1" "$quoted" "${3-, }"; }

json() {
  local comma='' one
  printf '{\n  "call": "%s",\n  "date": "%s",\n  ' "$call" "$date"
  field commit "$commit" $',\n  '
  printf '"complete": %s,\n  ' "$complete"
  printf '"seconds": %d,\n  "status": %d,\n  "machine": {"cores": %d, ' "$SECONDS" "$(status)" "$cores"
  field cpu "$cpu" && field gpu "$gpu" && field driver "$driver" && field weft_sees "$sees" $'},\n  '
  printf '"versions": {'
  field weft "$version" && field java "$java" && field python "$python" && field torch "$torch" ''
  printf '},\n  "facts": ['
  for one in "${entries[@]}"; do
    printf '%s\n    %s' "$comma" "$one"
    comma=,
  done
  printf '\n  ],\n  "figures": ['
  comma=
  while IFS= read -r one; do
    quote "$one"
    printf '%s\n    %s' "$comma" "$quoted"
    comma=,
  done < <(figures)
  printf '\n  ]\n}\n'
}

# what went wrong, and ten figures: at most 50 lines
last_block() {
  local verdict i text shown=0 more=0
  for verdict in FAIL TIME MISS; do
    for i in "${!names[@]}"; do
      [[ ${verdicts[i]} == "$verdict" ]] || continue
      if ((++shown <= 36)); then echo "${lines[i]}"; else more=$((more + 1)); fi
    done
  done
  ((more == 0)) || echo "and $more more: see summary.json"
  text="$call on ${sees:-no GPU}"
  echo "${text:0:100}"
  echo "$(count PASS) PASS, $(count FAIL) FAIL, $(count TIME) TIME, $(count MISS) MISS," \
    "$(count -) not measured, in $SECONDS s"
  figures
}

count() {
  local i n=0
  for i in "${verdicts[@]}"; do [[ $i != "$1" ]] || n=$((n + 1)); done
  echo "$n"
}

text() {
  local one
  for one in "Weft ${version:-?}, commit ${commit:-?}, $date, gpu.sh $call" "${machine[@]}"; do
    echo "${one:0:100}"
  done
  echo
  ((${#lines[@]} == 0)) || printf '%s\n' "${lines[@]}"
  echo
  last_block
}

# in_place FILE: writes OUT/FILE, whose old text stays until the new one is there
in_place() { cat >"$out/.new" && mv -- "$out/.new" "$out/$1"; }

keep() {
  json | in_place summary.json
  text | in_place summary.txt
}

# the logs and JSON of all parts so far
pack() {
  # tar minds that a log grows meanwhile
  tar -C "$work" -cz parts 2>/dev/null >"$out/.new"
  (($(stat -c %s "$out/.new") < 16000000)) ||
    tar -C "$work" -cz --exclude='trace*' parts 2>/dev/null | head -c 16000000 >"$out/.new"
  mv -- "$out/.new" "$out/parts.tar.gz"
  packed=$SECONDS
}
packed=0

# ---- parts ----
declare -A pid=() began=() limit=() ended_as=() shows=() joins=() needs=() wrong=() code=() extra=()
running=()
most_output=16000000
reserve=$((10 * all / total)) # seconds at the end, for the tables
grace=$((1 + 2 * all / total)) # seconds to end in, when told to

# some tenths of a second, and no process for it
nap() { read -r -t 0.1 -u 8 || true; }

left() { echo $((end - SECONDS)); }

# begin NAME SECONDS COMMAND...: starts a part, which may take so long and what is left of all. Its
# output goes to parts/NAME.log. What it says is the last line that matches shows[NAME], or all that
# match joins[NAME]; it fails too where no line matches needs[NAME] or one matches wrong[NAME]. Where
# extra[NAME] is set, to run out of time is no loss.
begin() {
  local name=$1 most=$(($2 * all / total))
  shift 2
  ((most >= 1)) || most=1
  (($(left) - reserve - grace >= most)) || most=$(($(left) - reserve - grace))
  if ((most < 1)); then
    code[$name]=late limit[$name]=0 began[$name]=$SECONDS
    return
  fi
  limit[$name]=$most began[$name]=$SECONDS
  : >"$parts/$name.log"
  (
    cd "$work" || exit
    ulimit -f 1048576 # a gigabyte: where nobody is left to stop one that prints without end
    timeout -k "$grace" "$most" "$@" &
    echo $! >"$work/$name.pid"
    exec 2>/dev/null # where bash would say that it was killed
    wait $!
  ) </dev/null >"$parts/$name.log" 2>&1 8<&- &
  pid[$name]=$!
  running+=("$name")
}

# stop NAME SIGNAL: the part with all that it started, which is the group of its timeout
stop() {
  local group=''
  read -r group 2>/dev/null <"$work/$1.pid"
  kill "-$2" -- "-${group:-${pid[$1]}}" 2>/dev/null
}

# what became of those that run; settled ones leave "running"
look() {
  local name still=()
  for name in "${running[@]}"; do
    if kill -0 "${pid[$name]}" 2>/dev/null; then
      if (($(stat -c %s "$parts/$name.log") > most_output)); then
        code[$name]=flood
        stop "$name" KILL
      elif ((SECONDS - began[$name] > limit[$name] + grace + 2)); then
        code[$name]=124
        stop "$name" KILL
      fi
    fi
    if kill -0 "${pid[$name]}" 2>/dev/null && [[ -z ${code[$name]:-} ]]; then
      still+=("$name")
    else
      wait "${pid[$name]}" 2>/dev/null
      code[$name]=${code[$name]:-$?}
      stop "$name" KILL # what it left behind
      verdict "$name"
    fi
  done
  running=("${still[@]}")
  ((SECONDS - packed < 10)) || pack
}

# shorten FILE BYTES: so much of its beginning and of its end
shorten() {
  { head -c "$2" "$1" && printf '\n.... cut here ....\n' && tail -c "$2" "$1"; } >"$1.new"
  mv -- "$1.new" "$1"
}

# log FILE: adds it to gpu.log
log() {
  local size
  size=$(stat -c %s "$1")
  {
    printf '==== %s\n' "${1##*/}"
    head -c 100000 "$1"
    ((size <= 200000)) || printf '\n.... cut here ....\n'
    ((size <= 100000)) || tail -c 100000 "$1"
    echo
  } >>"$out/gpu.log"
  logged=$((logged + (size < 200000 ? size : 200000)))
}
logged=0

# verdict NAME: the row of a part that ended
verdict() {
  local name=$1 log=$parts/$1.log took=$((SECONDS - began[$1])) verdict=FAIL said=''
  local words="^weft( bench)?: |^Invalid|^Unknown|WRONG|FAIL|[Ee]rror|Exception"
  case ${code[$name]} in
    late)
      row "$name" "$([[ -n ${extra[$name]:-} ]] && echo - || echo TIME)" 0 'no time was left'
      return
      ;;
    0) verdict=PASS ;;
    124 | 137) verdict=TIME ;;
    flood) said="stopped: more than $((most_output / 1000000)) MB of output" ;;
  esac
  if [[ -z $said && -n ${wrong[$name]:-} ]] && grep -qE -- "${wrong[$name]}" "$log"; then
    verdict=FAIL
    said="$(grep -cE -- "${wrong[$name]}" "$log") findings: $(grep -m1 -E -- "${wrong[$name]}" "$log")"
  elif [[ $verdict == PASS && -n ${needs[$name]:-} ]] && ! grep -qE -- "${needs[$name]}" "$log"; then
    verdict=FAIL
    said=$(grep -E -- '^ *missing ' "$log" | head -n 1)
    said=${said:-no line matches: ${needs[$name]}}
  elif [[ $verdict == PASS ]] && grep -q 'then --minutes were over' "$log"; then
    verdict=TIME
  fi
  if [[ $verdict == FAIL && -z $said ]]; then
    said=$(tail -c 200000 "$log" | grep -E -- "$words${shows[$name]:+|${shows[$name]}}" | tail -n 1)
  elif [[ -z $said && -n ${shows[$name]:-} ]]; then
    said=$(tail -c 200000 "$log" | grep -E -- "${shows[$name]}" | tail -n 1)
  fi
  if [[ $verdict == PASS && -n ${joins[$name]:-} ]]; then
    said=$(grep -E -- "${joins[$name]}" "$log" | tr -s ' ' | tr '\n' ';')
  fi
  [[ -n $said ]] || said=$(tail -c 2000 "$log" | grep -v '^[[:space:]]*$' | tail -n 1)
  said=${said#"${said%%[![:space:]]*}"}
  [[ $verdict != TIME ]] || said="stopped after $took s: $said"
  [[ $verdict != TIME || -z ${extra[$name]:-} ]] || verdict=-
  ended_as[$name]=$verdict
  row "$name" "$verdict" "$took" "$said"
  (($(stat -c %s "$log") < 2000000)) || shorten "$log" 900000
  ((logged > 8000000)) || log "$log"
  [[ $verdict != FAIL ]] ||
    tail -c 2000 "$log" | tr -cd '\n\040-\176' | grep -v '^ *$' | tail -n 3 | cut -c1-94 |
    sed 's/^/    | /'
}

# await [NAME...]: until these, else all, have ended
await() {
  local name
  for name in "$@"; do
    [[ ${code[$name]:-} != late ]] || { verdict "$name" && code[$name]=1; }
  done
  while ((${#running[@]})); do
    look
    if (($#)); then
      for name in "$@"; do [[ " ${running[*]} " != *" $name "* ]] || { nap && continue 2; }; done
      return
    fi
    ((${#running[@]} == 0)) || nap
  done
}

# part NAME SECONDS COMMAND...: alone, from its beginning to its end; whether it passed
part() {
  begin "$@"
  await "$1"
  [[ ! -s $parts/$1.log ]] || pack
  [[ ${ended_as[$1]:-} == PASS ]]
}

# beside NAME SECONDS COMMAND...: begins it as soon as a core or two are free for it
beside() {
  local most=$((cores / 2))
  ((most >= 2)) || most=2
  while ((${#running[@]} >= most)); do
    look
    nap
  done
  begin "$@"
  [[ ${code[$1]:-} != late ]] || await "$1"
}

told_to_stop() {
  local name
  trap '' TERM INT HUP
  for name in "${running[@]}"; do stop "$name" TERM; done
  nap
  nap
  nap
  for name in "${running[@]}"; do
    stop "$name" KILL
    code[$name]=124
    verdict "$name"
  done
  row gpu.sh TIME "$SECONDS" 'told to stop before the end'
  pack
  exit 143
}
trap told_to_stop TERM INT HUP
trap 'rm -rf -- "$work"' EXIT

# ---- the bundle ----
unpack() {
  if [[ -f $bundle ]]; then
    tar -xzf "$bundle" -C "$work" || { row bundle FAIL '' "$bundle cannot be unpacked" && exit 1; }
    bundle=$(dirname -- "$(dirname -- "$(find "$work" -path '*/bin/weft' -print -quit)")")
  fi
  bundle=$(cd -- "$bundle" && pwd) || exit 1
  [[ -n $commit ]] || commit=$(sed -n 's/.*, commit //p' "$bundle/weft-bundle.txt" 2>/dev/null)
  weft=$bundle/bin/weft
  replay=$bundle/harness/weft-harness
  [[ -x $weft ]] || { echo "gpu.sh: $bundle is no bundle: it has no bin/weft" >&2 && exit 1; }
}

[[ -z ${WEFT_MNIST:-} ]] || WEFT_MNIST=$(cd -- "$WEFT_MNIST" && pwd) || exit 1
export WEFT_CACHE=$work/cache PYTHONUNBUFFERED=1
# sizes of the real thing, and of its rehearsal
epochs=4 hidden=512,512 memory=16 apart=0.005 least=0.97 data=(--digits 60000)
step=128:784-512-512-10 rows='784-512-512-10, batch 128$' torch_device=cuda torch_seconds=0.5
wide_step=8192:4096-4096-4096-4096-4096 wide_rows='4096-4096-4096-4096-4096, batch 8192$'
ceilings='^copy, memory$|^gemm.* (4096|8192) x .*forward$'
kernel_rows='^(relu|gelu|softmax|dropout|layer|sgd|adam).*, memory$'
narrow=(--hidden 100,100 --batch 64) timed=(--size 256) quick=() profiled=cuda
if [[ -n $small ]]; then
  epochs=1 hidden=32 memory=0.3 apart=0.1 least=0 data=(--digits 600)
  step=16:784-100-100-10 rows='784-100-100-10, batch 16$' torch_device=cpu torch_seconds=0.1
  wide_step='' ceilings='^copy, cache$|^gemm.* 64 x .*forward$' kernel_rows='^relu_forward, cache$'
  # the emulator would take minutes for the copies that a profile needs
  narrow=(--hidden 16 --batch 64) timed=(--size 1 --quick --only dropout_f32)
  quick=(--quick) profiled=cpu
fi
[[ -z ${WEFT_MNIST:-} ]] || data=(--data "$WEFT_MNIST")

# ---- where this runs ----
# what PyTorch loads, by the maps of its process: the driver, and the cuBLAS to compare with
probe() {
  cat >"$work/probe.py" <<'P'
import ctypes, glob, platform, re, site, sys

print("python", platform.python_version())
try:
    import torch

    print("torch", torch.__version__)
    if torch.cuda.is_available():
        a = torch.ones(8, 8, device="cuda")
        (a @ a).sum().item()
        print("gpu", torch.cuda.get_device_name())
except Exception as e:
    print("no torch:", e)
try:
    ctypes.CDLL("libcuda.so.1")
except OSError as e:
    print("no driver:", e)
places = site.getsitepackages() + [site.getusersitepackages()] + sys.path
found = re.findall(r"/\S*/lib(?:cublas|cuda)\.so[.\d]*", open("/proc/self/maps").read())
found += [f for p in places for f in sorted(glob.glob(p + "/nvidia/*/lib/libcublas.so.1[23]"))]
for path in dict.fromkeys(found):
    name, version = path.rsplit("/", 1)[1].split(".")[0], ""
    if name == "libcublas":
        try:
            lib, parts = ctypes.CDLL(path), []
            for i in range(3):
                value = ctypes.c_int()
                lib.cublasGetProperty(i, ctypes.byref(value))
                parts.append(str(value.value))
            version = ".".join(parts)
        except (AttributeError, OSError) as e:
            version = str(e)
    print(name, path, version)
P
  shows[python]='^torch|^no torch'
  begin python 40 python3 "$work/probe.py"
}

probed() { sed -n "s/^$1 //p" "$parts/python.log" 2>/dev/null | head -n 1; }

# where a driver may lie that nobody guessed
find_driver() {
  local file
  for file in "$(probed libcuda)" \
    "$(ldconfig -p 2>/dev/null | sed -n 's/.*libcuda\.so\.1 .*=> //p' | head -n 1)" \
    "$(timeout 10 find / -xdev -name 'libcuda.so.1' -not -path '*/stubs/*' \
      -not -path '*/emulator/*' -print -quit 2>/dev/null)"; do
    file=${file%% *}
    [[ ! -e $file ]] || { echo "$file" && return; }
  done
}

doctor() {
  needs[$1]='ok +cuda:0' shows[$1]='cuda:0|libcuda'
  part "$1" 40 "$weft" doctor
}

look_around() {
  local fields=name,driver_version,clocks.sm,clocks.max.sm,clocks.mem,power.limit,temperature.gpu
  local opens='' cublas file
  if command -v python3 >/dev/null; then probe; else row python - '' 'is not installed'; fi
  if command -v nvidia-smi >/dev/null; then
    shows[nvidia-smi]='MHz|W'
    begin nvidia-smi 15 nvidia-smi --format=csv,noheader "--query-gpu=$fields"
  else
    row nvidia-smi - '' 'is not installed'
  fi
  {
    uname -sr
    ldd --version 2>&1 | head -n 1
    ldconfig -p 2>/dev/null | grep -E 'libcuda|libcublas'
    ls -d /usr/local/cuda* 2>/dev/null
    nproc
    grep -E 'MemTotal|MemAvailable' /proc/meminfo
  } >"$parts/loader.log" 2>&1
  machine+=("$cpu, $cores cores; $(sed -n '1p' "$parts/loader.log"); $(sed -n '2p' "$parts/loader.log")")
  ! doctor doctor || opens=1
  await
  gpu=$(cut -d, -f1 "$parts/nvidia-smi.log" 2>/dev/null | head -n 1)
  driver=$(cut -d, -f2 "$parts/nvidia-smi.log" 2>/dev/null | head -n 1 | tr -d ' ')
  python=$(probed python) torch=$(probed torch) cublas=$(probed libcublas)
  if [[ -z $opens ]] && file=$(find_driver) && [[ -n $file ]]; then
    export WEFT_CUDA_DRIVER=$file
    row driver - '' "WEFT_CUDA_DRIVER=$file"
    if doctor doctor-named-driver; then opens=1; else unset WEFT_CUDA_DRIVER; fi
  fi
  # both sides are compared over the same cuBLAS: that of PyTorch
  if [[ -n $cublas ]]; then
    row 'cuBLAS of PyTorch' - '' "${cublas##* } in ${cublas% *}"
    export WEFT_CUBLAS=${cublas% *}
    if doctor doctor-named-cublas; then opens=1; else unset WEFT_CUBLAS; fi
  fi
  sees=$(sed -n 's/^ *ok *cuda:0: //p' "$parts"/doctor*.log | tail -n 1)
  version=$(sed -n 's/^weft  *//p' "$parts/doctor.log" | head -n 1)
  java=$(sed -n 's/^Java  *\([^,]*\).*/\1/p' "$parts/doctor.log" | head -n 1)
  machine+=("${sees:-no GPU for Weft}; driver ${driver:-?}" "Java ${java:-?}; Python ${python:-?}, PyTorch ${torch:-none}")
  machine+=("cuBLAS by itself: $(sed -n 's/.*cuBLAS (libcublas[^)]*): //p' "$parts/doctor.log" | head -n 1)")
  machine+=("cuBLAS of PyTorch: ${cublas:-none}")
  keep
  [[ -n $opens ]]
}

# ---- is it right ----
brief() {
  shows[brief]='passed|failed|wrong'
  beside brief 60 "$weft" selftest --device cuda --brief
}

selftest() {
  shows[selftest]='passed|failed|wrong'
  beside selftest 150 "$weft" selftest --device cuda \
    "${quick[@]}" --json "$parts/selftest.json"
}

gradcheck() {
  shows[gradcheck]='passed|failed|wrong'
  beside gradcheck 120 "$weft" gradcheck --device cuda
}

some_rows='^PASS: [1-9][0-9]* rows'

# only where the bundle has one
has_harness() {
  [[ -x $replay ]] || { row "$1" - '' 'the bundle has no harness' && return 1; }
}

harness() {
  has_harness harness-check || return
  shows[harness-check]='^(PASS|FAIL): ' needs[harness-check]=$some_rows
  beside harness-check 90 "$replay" --check "${quick[@]}" --json "$parts/harness-check.json"
}

train_one() {
  local name=train-$1 device=$2
  shift 2
  shows[$name]='test accuracy'
  beside "$name" 90 "$weft" train --device "$device" "${data[@]}" \
    --epochs "$epochs" --hidden "$hidden" --batch 128 --seed 1 --plain \
    --out "$work/$name.safetensors" --log "$parts/$name.jsonl" "$@"
}

train() {
  train_one cuda-1 cuda
  train_one cuda-2 cuda
  train_one streamed cuda --data-memory "$memory"
  train_one fast cuda --math fast
  train_one bf16 cuda --math bf16
  train_one cpu cpu
}

tested() {
  local said
  said=$(grep '^strict training:' "$parts/selftest.log" 2>/dev/null)
  [[ -z $said ]] || row 'as on the CPU' "$([[ $said == *': ok' ]] && echo PASS || echo FAIL)" '' "$said"
}

trained() {
  same cuda-1 cuda-2 'two runs, one seed'
  same cuda-1 streamed 'streamed and resident data'
  close cuda-1 cpu 'GPU and CPU'
  close cuda-1 fast 'strict and fast'
  close cuda-1 bf16 'strict and bf16'
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

# same A B NAME: whether two trainings left the same bytes, and had the same losses but for times
same() {
  local a=$work/train-$1.safetensors b=$work/train-$2.safetensors
  local one=$parts/train-$1.jsonl two=$parts/train-$2.jsonl
  if [[ ! -s $a || ! -s $b || ! -s $one || ! -s $two ]]; then
    row "$3" "$(why "train-$1" "train-$2")" '' "there is no network of $1 or $2"
  elif ! cmp -s "$a" "$b"; then
    row "$3" FAIL '' "networks: $(cmp "$a" "$b" 2>&1 | sed 's|/[^ ]*/||g')"
  elif ! cmp -s <(sed 's/, *"seconds".*//' "$one") <(sed 's/, *"seconds".*//' "$two"); then
    row "$3" FAIL '' 'the networks are the same, the losses are not'
  else
    row "$3" PASS '' 'the same bits'
  fi
}

accuracy() {
  sed -n '$s/.*"test_accuracy": *\([0-9.eE+-]*\).*/\1/p' "$parts/train-$1.jsonl" 2>/dev/null
}

# close A B NAME: whether both learned, and test accuracies differ by $apart at most
close() {
  local a b
  a=$(accuracy "$1") b=$(accuracy "$2")
  if [[ -z $a || -z $b ]]; then
    row "$3" "$(why "train-$1" "train-$2")" '' "there is no accuracy of $1 or $2"
    return
  fi
  row "$3" "$(awk -v a="$a" -v b="$b" -v d="$apart" -v l="$least" \
    'BEGIN {x = a - b; print (x <= d && -x <= d && a >= l && b >= l) ? "PASS" : "FAIL"}')" '' \
    "$(awk -v a="$a" -v b="$b" -v d="$apart" -v l="$least" 'BEGIN {
      printf "%.2f %% and %.2f %%; at most %.1f points apart, at least %.0f %%",
        100 * a, 100 * b, 100 * d, 100 * l}')"
}

sanitize() {
  local name=$1 findings
  local tool=(compute-sanitizer --tool "$1" --error-exitcode 9 --launch-timeout 0
    --report-api-errors no --target-processes all)
  findings='^=+ +(Invalid|Uninitialized|Misaligned|Barrier error|Divergent|Race reported'
  findings+='|(Error|Warning): Race)'
  if ! command -v compute-sanitizer >/dev/null; then
    row "$name" - '' 'compute-sanitizer is not installed'
    return
  fi
  # what a tool had found counts also where its time was over; libraries may probe with calls that
  # fail, and Weft looks at every result itself
  shows[$name]='SUMMARY' wrong[$name]=$findings
  if [[ -x $replay ]]; then
    needs[$name]=$some_rows
    beside "$name" 100 "${tool[@]}" "$replay" --check --exact "${quick[@]}"
  else
    needs[$name]='self-test passed'
    beside "$name" 120 "${tool[@]}" "$bundle/java/bin/java" --enable-native-access=ALL-UNNAMED \
      -Dweft.allocator=exact -cp "$bundle/lib/*" dev.weft.cli.Main selftest --device cuda --brief
  fi
}

memcheck() { sanitize memcheck; }
racecheck() { sanitize racecheck; }

# ---- is it fast ----
measured=() peers=()

# bench NAME SECONDS PART...: what there is when its time is over is written all the same
bench() {
  local name=$1 most=$2
  shift 2
  joins[$name]='^  (Weft|cuda, ).* us'
  part "$name" "$most" "$weft" bench "$@" --peer none --quick --turns 1 \
    --minutes "$(awk "BEGIN {m = ($most - 10) / 60; print (m > 0.05) ? m : 0.05}")" \
    --json "$parts/$name.json"
  [[ ! -s $parts/$name.json ]] || measured+=("$parts/$name.json")
}

# peer NAME SECONDS OPTION...
peer() {
  local name=$1 most=$2
  shift 2
  if [[ -z $torch ]]; then
    row "$name" - '' 'no PyTorch here'
    return
  fi
  needs[$name]=' us ' shows[$name]=' us |failed'
  part "$name" "$most" python3 "$here/peers/torch_steps.py" \
    --device "$torch_device" --seconds "$torch_seconds" --json "$parts/$name.json" "$@"
  [[ ! -s $parts/$name.json ]] || peers+=(--peer-json "$parts/$name.json")
}

# PyTorch between two turns of Weft
steps() {
  local n=$((${turn:-0} + 1))
  turn=$((n + 1))
  bench "weft-steps-$n" 60 steps --device cuda --only "$rows"
  peer "torch-$n" 90 --mode eager --mode graph --dtype f32 --dtype tf32 --dtype bf16 \
    --step "$step" ${wide_step:+--step "$wide_step@bf16" --products}
  bench "weft-steps-$turn" 45 steps --device cuda --only "$rows"
}

replay_timed() {
  has_harness harness-time || return
  shows[harness-time]='^(PASS|FAIL): ' needs[harness-time]=$some_rows
  part harness-time 60 "$replay" --time "${timed[@]}" --json "$parts/harness-time.json"
}

kernels() {
  replay_timed
  bench weft-kernels 80 ceilings kernels --device cuda --only "$ceilings|$kernel_rows"
}

wide() {
  [[ -n $wide_step ]] || { row weft-wide - '' 'not in a rehearsal' && return; }
  bench weft-wide 75 steps --device cuda --math bf16 --only "$wide_rows"
}

profile() {
  extra[profile]=1
  part profile 30 "$weft" train --device "$profiled" "${data[@]}" \
    --hidden "$hidden" --dropout 0 --batch 128 "--profile=$parts/trace.json"
}

# the step of a narrow network, fused and not
fusion() {
  local fusion
  for fusion in never always; do
    shows[fusion-$fusion]='^step ' extra[fusion-$fusion]=1
    part "fusion-$fusion" 20 "$weft" train --device "$profiled" "${data[@]}" "${narrow[@]}" \
      --dropout 0 --fusion "$fusion" "--profile=$parts/trace-$fusion.json"
  done
}

compile() {
  extra[torch-compile]=1
  peer torch-compile 110 --mode compile --dtype f32 --dtype tf32 \
    --dtype bf16 --step "$step" ${wide_step:+--step "$wide_step@bf16"}
}

ncu() {
  local named=${WEFT_GPU_NCU:-'bias_activation|softmax_cross_entropy|dropout|adam'}
  has_harness ncu || return
  type -P ncu >/dev/null || { row ncu - '' 'is not installed' && return; }
  extra[ncu]=1 shows[ncu]='Memory Throughput|ERR_|Error'
  part ncu 45 ncu --clock-control none \
    --kernel-name "regex:$named" --launch-count 12 --section SpeedOfLight \
    --section MemoryWorkloadAnalysis --section LaunchStats --section Occupancy \
    "$replay" --time "${timed[@]}" --repeats 1 --only "$named"
}

# the tables for bench/results/README.md, and a row for each target
targets() {
  local outcome what found
  ((${#measured[@]})) || { row targets - '' 'nothing was measured' && return; }
  reserve=0
  part targets 9 "$weft" bench targets "${measured[@]}" ${peers[@]+"${peers[@]}"} \
    --verdicts "$parts/verdicts.tsv" || return
  in_place targets.md <"$parts/targets.log"
  while IFS=$'\t' read -r outcome what found; do
    case $outcome in
      met) outcome=PASS ;;
      missed) outcome=MISS ;;
      *) outcome=- ;;
    esac
    add "$what" "$outcome" '' "$found"
  done <"$parts/verdicts.tsv"
  keep
}

# found PREFIX: what was found of the targets that begin so, in a line
found() {
  [[ ! -s $parts/verdicts.tsv ]] || awk -F'\t' -v p="$1" '
    index($2, p) == 1 {
      what = substr($2, length(p) + 1)
      sub(/at most .*/, "", what)
      sub(/^(within|90 %|60 %) .*/, "", what)
      sub(/not behind |[0-9.]+ x as fast as /, "/ ", what)
      text = text (text == "" ? "" : "; ") (what == "" ? "" : what " ") $3
    }
    END {print text}' "$parts/verdicts.tsv"
}

# how many kernels move bytes as fast as a copy, and which are farthest from it
near_a_copy() {
  [[ ! -s $parts/verdicts.tsv ]] || awk -F'\t' '
    !sub(/: 90 % of a copy/, "", $2) || $1 == "not measured" {next}
    {all++}
    $1 == "met" {near++}
    $1 == "missed" {sub(/.*, /, "", $3); sub(/ of .*/, "", $3); far = far "; " $2 " " $3}
    END {if (all) printf "%d of %d reach 90 %% of a copy%s", near, all, far}' "$parts/verdicts.tsv"
}

# says_of NAME: what the row says
says_of() {
  local i
  for i in "${!names[@]}"; do
    [[ ${names[i]} != "$1" ]] || { echo "${verdicts[i]} ${says[i]}" && return; }
  done
}

# figure NAME TEXT
figure() {
  local text
  printf -v text '%-16s %s' "$1" "${2:-not measured}"
  echo "${text:0:100}"
}

figures() {
  local net='784-512-512-10/128' big='4096-4096-4096-4096-4096/8192'
  figure 'self-test' "$(says_of selftest)"
  figure 'kernels right' "$(says_of harness-check)"
  figure 'kernels fast' "$(near_a_copy)"
  figure 'accuracy' "$(says_of 'GPU and CPU')"
  figure 'step STRICT' "$(found "$net STRICT: ")"
  figure 'step FAST' "$(found "$net FAST: ")"
  figure 'step BF16' "$(found "$net BF16: ")"
  figure 'wide step BF16' "$(found "$big BF16: ")"
  figure 'product STRICT' "$(found '8192 x 8192 x 8192 STRICT: ')"
  figure 'product BF16' "$(found '8192 x 8192 x 8192 BF16: ')"
}

# ---- the two calls ----
# the parts that are asked for, of those given, in this order
each() {
  local name
  for name in "$@"; do
    [[ " ${wanted[*]} " != *" $name "* ]] || "$name"
  done
}

keep
unpack
if look_around; then
  if ((${#wanted[@]} == 0)); then
    if [[ $call == first ]]; then
      wanted=(brief selftest gradcheck train harness steps kernels wide profile fusion)
    else
      wanted=(memcheck racecheck steps ncu compile)
    fi
  fi
  # the longest first
  each selftest gradcheck memcheck racecheck brief harness train
  await
  tested
  [[ " ${wanted[*]} " != *' train '* ]] || trained
  pack
  each steps kernels wide profile fusion ncu compile
else
  row device FAIL '' 'Weft does not open it: the harness and PyTorch alone'
  harness
  await
  replay_timed
  peer torch-1 90 --mode eager --mode graph --dtype f32 --dtype tf32 --dtype bf16 --step "$step"
fi
targets
complete=true
keep
pack
echo
last_block
exit "$(status)"
