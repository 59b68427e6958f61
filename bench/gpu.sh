#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bench/gpu.sh BUNDLE OUT first|second [PART...]: what Weft can show on a machine with a GPU, from
# a bundle: no Java, no Maven, no network. BUNDLE is the folder that "weft bundle --with-bench"
# makes, with this script in it, or a .tar.gz of it; OUT receives the results.
#   first    at most 330 s: is it right, is it fast: doctor, self-test, gradients, training, and
#            then steps, products and kernels beside PyTorch's
#   second   at most 240 s: the parts that are named, else compute-sanitizer, another turn of
#            steps, torch.compile and ncu. Parts:
#              brief selftest gradcheck train harness memcheck racecheck
#              steps kernels wide profile fusion compile ncu
# Where there is neither a driver that opens nor a GPU that nvidia-smi sees, it says so and ends;
# where there is a GPU that Weft does not open, the harness and PyTorch run alone.
# What is right is found out side by side; what is timed is timed alone, but that every ten seconds
# the logs are packed. A part that fails, hangs or prints without end stops no other. OUT is written
# anew after every part: a run that is killed leaves what it had measured. In OUT:
#   summary.txt    a line a fact; last of all at most 50 lines: FAIL, TIME, MISS, ten figures
#   summary.json   the same for machines
#   targets.md     the figures beside the targets
#   gpu.log        what every part printed; parts.tar.gz: their logs and JSON, in full
# Verdicts: PASS; FAIL; TIME, it ran out of time; MISS, a target of speed was not reached; -, it is
# not here or was not measured. Exit status: 1 where anything is FAIL, else 2 where anything is
# TIME, else 3 where anything is MISS, else 0; 143 where it was told to stop; 64 for wrong use.
#   WEFT_MNIST         a folder of MNIST's four IDX files to train on; default: generated digits
#   WEFT_GPU_NCU       which kernels ncu looks at, a regular expression; default: one large call of
#                      bias_activation, softmax_cross_entropy, dropout and adam, and one in bf16.
#                      reduce and binary_forward are also what the harness looks at results with
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
if [[ " $* " == *' --help '* || ${1:-} == -h ]]; then
  sed -n '3,/^set -u/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
  exit
fi
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
# what limits time is in milliseconds
now() { now=${EPOCHREALTIME:-$SECONDS.000000} && now=$((10#${now/./} / 1000)); }
# scaled SECONDS: sets $scaled to them in milliseconds, as WEFT_GPU_SECONDS has it
scaled() { scaled=$(($1 * 1000 * all / total)); }
now && end=$((now + all * 1000))
[[ -e $bundle ]] || { echo "gpu.sh: there is no bundle $bundle" >&2 && exit 1; }
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
mkdir "$parts" && mkfifo "$work/never" && exec 8<>"$work/never" 9>&1 || exit 1
date=$(date -u +%Y-%m-%dT%H:%M:%SZ)
commit=${WEFT_COMMIT:-}
complete=false # until the last part was run

# ---- rows, and the files that hold them ----
names=() verdicts=() says=() lines=() entries=()
declare -A tally=([PASS]=0 [FAIL]=0 [TIME]=0 [MISS]=0 [-]=0)
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
  local line entry said
  plain "${4:0:${longest:-300}}"
  said=$plain
  printf -v line '%-4s %4s  %s: %s' "$2" "$3" "$1" "$said"
  quote "$1" && entry="\"name\": $quoted, \"verdict\": \"$2\", \"seconds\": ${3:-null}"
  quote "$said" && entry="{$entry, \"says\": $quoted}"
  # at once, since it may be told to stop between two commands
  names+=("$1") verdicts+=("$2") says+=("$said") lines+=("${line:0:100}") entries+=("$entry") \
    tally[$2]=$((tally[$2] + 1))
}

# sentence NAME VERDICT TEXT: a row whose line is not cut but goes on in further ones
sentence() {
  local text indent='           ' folded='' head longest=800
  add "$1" "$2" '' "$3"
  printf -v text '%-4s %4s  %s: %s' "$2" '' "$1" "${says[-1]}"
  while ((${#text} > 100)); do
    head=${text:0:100}
    [[ ${head:20} != *' '* ]] || head=${head% *}
    folded+=$head$'\n'
    text=${text:${#head}} text=$indent${text# }
  done
  lines[-1]=$folded$text
  echo "${lines[-1]}"
  keep
}

# status: sets $status
status() {
  status=0
  ((tally[MISS] == 0)) || status=3
  ((tally[TIME] == 0)) || status=2
  ((tally[FAIL] == 0)) || status=1
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
  local comma='' one status
  status
  printf '{\n  "call": "%s",\n  "date": "%s",\n  ' "$call" "$date"
  field commit "$commit" $',\n  '
  printf '"complete": %s,\n  ' "$complete"
  printf '"seconds": %d,\n  "status": %d,\n  "machine": {"cores": %d, ' "$SECONDS" "$status" "$cores"
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
  done <"$work/figures"
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
  echo "${tally[PASS]} PASS, ${tally[FAIL]} FAIL, ${tally[TIME]} TIME, ${tally[MISS]} MISS," \
    "${tally[-]} not measured, in $SECONDS s"
  cat "$work/figures"
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

# in_place FILE COMMAND...: its output becomes OUT/FILE, whose old text stays until then
in_place() { "${@:2}" >"$out/.new" && mv -- "$out/.new" "$out/$1"; }

keep() {
  figures >"$work/figures"
  in_place summary.json json
  in_place summary.txt text
}

# the logs and JSON of all parts so far: where they are too large, without those that are the
# largest when packed, which left-out.txt names
pack() {
  local file
  while
    # tar minds that a log grows meanwhile
    tar -C "$work" -cz "${left_out[@]/#/--exclude=parts/}" parts 2>/dev/null >"$work/packed"
    (($(stat -c %s "$work/packed") > 15000000)) && file=$(largest) && [[ -n $file ]]
  do
    left_out+=("$file")
    printf '%s\n' "${left_out[@]}" >"$parts/left-out.txt"
  done
  in_place parts.tar.gz cat "$work/packed"
  packed=$SECONDS
}

largest() {
  local file
  for file in "$parts"/*; do
    [[ " ${left_out[*]} " == *" ${file##*/} "* || ! -s $file ]] ||
      printf '%s %s\n' "$(gzip -c "$file" 2>/dev/null | wc -c)" "${file##*/}"
  done | sort -rn | sed -n '1s/.* //p'
}
left_out=()
packed=0

# ---- parts ----
declare -A pid=() began=() limit=() ended_as=() code=() kept=()
declare -A shows=() joins=() tells=() needs=() wrong=() spoilt=() extra=() mild=()
running=()
most_output=16000000
scaled 10 && reserve=$scaled # at the end, for the tables
scaled 3 && grace=$((scaled < 300 ? 300 : scaled)) # to end in, when told to
scaled 1 && shortest=$((scaled < 200 ? 200 : scaled)) # what a part is begun for

# a tenth of a second, less where something has just begun; and no process for it
nap() {
  local seconds=0.1
  ((naps++ >= 5)) || seconds=0.02
  read -r -t "$seconds" -u 8 || true
}
naps=0

# keep_time: of what is left, that is kept for the parts that matter the most, in seconds, whatever
# becomes of those before them: more than they took on an H200
keep_time() {
  local asked=" ${wanted[*]} "
  [[ $asked != *' steps '* ]] || kept+=([weft-steps-1]=20 [weft-steps-2]=20)
  [[ $asked != *' steps '* || -z $torch ]] || kept+=([torch-1]=50)
  [[ $asked != *' kernels '* ]] || kept+=([weft-kernels]=60)
  [[ $asked != *' kernels '* || ! -x $replay ]] || kept+=([harness-time]=15)
  [[ $asked != *' compile '* || -z $torch ]] || kept+=([torch-compile]=45)
}

# most_time NAME SECONDS: sets $most to the milliseconds of these that a part has now
most_time() {
  local name room
  now
  room=$((end - now - reserve - grace))
  for name in "${!kept[@]}"; do
    # 200: to write down what was found
    [[ $name == "$1" ]] || { scaled "${kept[$name]}" && room=$((room - scaled - grace - 200)); }
  done
  scaled "$2" && most=$((scaled < 1000 ? 1000 : scaled))
  ((room >= most)) || most=$room
}

# begin NAME SECONDS COMMAND...: starts a part, which may take so long and what is left of all, less
# what is kept for others. Its output goes to parts/NAME.log. What it says is the last line that
# matches shows[NAME], all that match joins[NAME], or what the function tells[NAME] prints; it fails
# too where no line matches needs[NAME] or one matches wrong[NAME]; a line that matches spoilt[NAME]
# is one of its cases that failed, which are no faults of Weft. Where extra[NAME] is set, to run out
# of time is no loss; nor is a failure where a line matches mild[NAME].
begin() {
  local name=$1 seconds=$2 most time
  shift 2
  [[ $1 != "$bundle"/* ]] || seconds=$((slow * seconds))
  most_time "$name" "$seconds"
  unset "kept[$name]"
  began[$name]=$now
  if ((most < shortest)); then
    code[$name]=late limit[$name]=0
    return
  fi
  limit[$name]=$most
  printf -v time '%d.%03d %d.%03d' $((grace / 1000)) $((grace % 1000)) $((most / 1000)) \
    $((most % 1000))
  : >"$parts/$name.log"
  (
    cd "$work" || exit
    ulimit -f 1048576 # a gigabyte: where nobody is left to stop one that prints without end
    timeout -k ${time% *} ${time#* } "$@" &
    echo $! >"$work/$name.pid"
    exec 2>/dev/null # where bash would say that it was killed
    wait $!
  ) </dev/null >"$parts/$name.log" 2>&1 8<&- 9>&- &
  pid[$name]=$!
  running+=("$name")
  naps=0
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
  now
  for name in "${running[@]}"; do
    if kill -0 "${pid[$name]}" 2>/dev/null; then
      if (($(stat -c %s "$parts/$name.log") > most_output)); then
        code[$name]=flood
        stop "$name" KILL
      elif ((now - began[$name] > limit[$name] + grace + 1000)); then
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
  local name=$1 log=$parts/$1.log took verdict=FAIL said='' failed cases
  now
  took=$(((now - began[$1]) / 1000))
  local words="^weft( bench)?: |^Invalid|^Unknown|WRONG|FAIL|[Ee]rror|Exception"
  case ${code[$name]} in
    late)
      add "$name" "$([[ -n ${extra[$name]:-} ]] && echo - || echo TIME)" 0 'no time was left'
      echo "${lines[-1]}"
      return
      ;;
    0) verdict=PASS ;;
    124) verdict=TIME ;;
    137)
      # by timeout, or by somebody else: for want of memory, for one
      verdict=TIME
      ((now - began[$name] >= limit[$name])) || verdict=FAIL said='killed (signal 9)'
      ;;
    flood) said="stopped: more than $((most_output / 1000000)) MB of output" ;;
  esac
  if [[ -z $said && -n ${wrong[$name]:-} ]] && grep -qE -- "${wrong[$name]}" "$log"; then
    verdict=FAIL
    said="$(grep -cE -- "${wrong[$name]}" "$log") findings: $(grep -m1 -E -- "${wrong[$name]}" "$log")"
  elif [[ $verdict == PASS && -n ${needs[$name]:-} ]] && ! grep -qE -- "${needs[$name]}" "$log"; then
    verdict=FAIL
    said=$(grep -E -- '^ *missing ' "$log" | head -n 1)
    said=${said:-$(grep -m1 -E -- '==ERROR==' "$log")}
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
  [[ $verdict != PASS || -z ${tells[$name]:-} ]] || said=$("${tells[$name]}")
  if [[ $verdict == PASS && -n ${spoilt[$name]:-} ]]; then
    failed=$(grep -cE -- "${spoilt[$name]}" "$log") cases=$(grep -cE -- "${shows[$name]}" "$log")
    ((failed == 0)) || verdict=- said="$failed of $cases failed: $(
      grep -m1 -E -- "${spoilt[$name]}" "$log" | tr -s ' '
    )"
  fi
  [[ -n $said ]] || said=$(tail -c 2000 "$log" | grep -v '^[[:space:]]*$' | tail -n 1)
  said=${said#"${said%%[![:space:]]*}"}
  [[ $verdict != TIME ]] || said="stopped after $took s: $said"
  [[ $verdict != TIME || -z ${extra[$name]:-} ]] || verdict=-
  [[ $verdict != FAIL || -z ${mild[$name]:-} ]] || ! grep -qE -- "${mild[$name]}" "$log" || verdict=-
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
  exec >&9 # it may have come amid what is written into a file
  for name in "${running[@]}"; do stop "$name" TERM; done
  naps=5
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
  echo
  last_block
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
  [[ -x $weft ]] || { row bundle FAIL '' "$bundle is no bundle: it has no bin/weft" && exit 1; }
}

[[ -z ${WEFT_MNIST:-} ]] || WEFT_MNIST=$(cd -- "$WEFT_MNIST" && pwd) || exit 1
# what is left behind, is where it is taken away
export WEFT_CACHE=$work/cache PYTHONUNBUFFERED=1 TMPDIR=$work/tmp XDG_CACHE_HOME=$work/cache \
  CUDA_CACHE_PATH=$work/cache/cuda TORCHINDUCTOR_CACHE_DIR=$work/cache/inductor \
  TRITON_CACHE_DIR=$work/cache/triton
mkdir -p "$TMPDIR"
# sizes of the real thing, and of its rehearsal
epochs=4 hidden=512,512 memory=16 apart=0.005 least=0.97 data=(--digits 60000)
step=128:784-512-512-10 rows='784-512-512-10, batch 128$' torch_device=cuda torch_seconds=0.5
wide_step=8192:4096-4096-4096-4096-4096 wide_rows='4096-4096-4096-4096-4096, batch 8192$'
ceilings='^copy, memory$|^gemm.* (4096|8192) x .*forward$'
kernel_rows='^(relu|gelu|softmax|dropout|layer|sgd|adam).*, memory$'
narrow=(--hidden 100,100 --batch 64) timed=() quick=() profiled=cuda slow=1
if [[ -n $small ]]; then
  epochs=1 hidden=32 memory=0.3 apart=0.1 least=0 data=(--digits 600)
  step=16:784-100-100-10 rows='784-100-100-10, batch 16$' torch_device=cpu torch_seconds=0.1
  wide_step='' ceilings='^copy, cache$|^gemm.* 64 x .*forward$' kernel_rows='^relu_forward, cache$'
  # the emulator would take minutes for the copies that a profile needs
  narrow=(--hidden 16 --batch 64) timed=(--quick --only 'dropout_f32, 256 KiB')
  quick=(--quick) profiled=cpu slow=3 # as an emulated GPU is
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
  begin python 30 python3 "$work/probe.py"
}

probed() { sed -n "s/^$1 //p" "$parts/python.log" 2>/dev/null | head -n 1; }

# find_driver FILE: where a driver lies that is not FILE, what is cheap to ask first
find_driver() {
  local places file
  for places in 'probed libcuda' loaded_drivers usual_drivers mounted_drivers sought_drivers; do
    while read -r file _; do
      [[ ! -e $file || $file -ef $1 ]] || { echo "$file" && return; }
    done < <($places)
  done
}

loaded_drivers() {
  ldconfig -p 2>/dev/null | sed -n 's/.*libcuda\.so\.1 .*x86-64.*=> //p'
}

# where Weft looks by itself, too; and files that a container's tools mount one by one
usual_drivers() {
  printf '%s\n' /usr/lib/x86_64-linux-gnu/libcuda.so.1 /usr/lib64/libcuda.so.1 \
    /usr/lib/wsl/lib/libcuda.so.1 /usr/local/nvidia/lib*/libcuda.so.1 \
    /usr/local/cuda*/compat/libcuda.so.1
  sed -n 's|^[^ ]* \([^ ]*/libcuda\.so[^ ]*\) .*|\1|p' /proc/self/mounts
}

seek_driver() { # SECONDS FOLDER...
  timeout "$1" find "${@:2}" -xdev -name libcuda.so.1 -not -path '*/stubs/*' \
    -not -path '*/emulator/*' -not -path '*i386*' -not -path '*/lib32/*' -print -quit 2>/dev/null
}

# disks other than the one of /; none that a network may hold up
mounted_drivers() {
  local folders=()
  readarray -t folders < <(
    sed -nE 's/^[^ ]* (\/[^ \\]+) (ext[234]|xfs|btrfs|zfs|overlay|squashfs|erofs|9p|virtiofs) .*/\1/p' \
      /proc/self/mounts
  )
  ((${#folders[@]} == 0)) || seek_driver 3 "${folders[@]}" -maxdepth 6
}

sought_drivers() { seek_driver 6 /; }

name_driver() {
  [[ -n $1 ]] || return
  export WEFT_CUDA_DRIVER=$1
  row driver - '' "WEFT_CUDA_DRIVER=$1"
}

# doctor NAME SECONDS: whether Weft opens the device over the libraries that are named now
doctor() {
  needs[$1]='ok +cuda:0' shows[$1]='cuda:0|libcuda'
  # as long as none has opened it, what that means is said last of all
  [[ -n $counts ]] || mild[$1]='missing  *cuda:0'
  part "$1" "$2" "$weft" doctor && counts=$1
}

# found_by DOCTOR LIBRARY: "PATH (HOW)" of what that doctor found
found_by() { sed -n "s/^ *ok .*($2\.so[^)]*): //p" "$parts/$1.log" 2>/dev/null | head -n 1; }

# found_cublas: "VERSION, PATH (HOW)" of the one that Weft finds by itself
found_cublas() {
  local name found='' version=''
  for name in doctor-own-cublas doctor-named-driver doctor; do
    found=$(found_by "$name" libcublas)
    [[ -z $found ]] || break
  done
  [[ -n $found ]] || return
  version=$(sed -n 's/^ *ok *cuda:0: .*cuBLAS \([0-9.]*\).*/\1/p' "$parts/$name.log" | head -n 1)
  [[ -n $version ]] || version=$(realpath -- "${found% (*}" 2>/dev/null | sed 's/.*libcublas\.so\.//')
  echo "${version:-no version}, $found"
}

# of PyTorch, with which both sides are compared; or that of Weft's own find
torch_cublas() { export WEFT_CUBLAS=${cublas%% *}; }
own_cublas() { if [[ -n $given ]]; then export WEFT_CUBLAS=$given; else unset WEFT_CUBLAS; fi; }
own_driver() {
  unset WEFT_CUDA_DRIVER
  [[ -z $given_driver ]] || export WEFT_CUDA_DRIVER=$given_driver
}
given=${WEFT_CUBLAS:-} given_driver=${WEFT_CUDA_DRIVER:-} cublas='' counts=''

# what the head of the summary says, of the doctor that counts
sum_up() {
  local own torchs=${cublas:+${cublas#* }, ${cublas%% *}}
  own=$(found_cublas)
  sees=$(sed -n 's/^ *ok *cuda:0: //p' "$parts/$counts.log" 2>/dev/null | tail -n 1)
  machine=(
    "$cpu, $cores cores; $(sed -n '1p' "$parts/loader.log"); $(sed -n '2p' "$parts/loader.log")"
    "driver ${driver:-?}; ${sees:-no GPU for Weft}"
    "Java ${java:-?}; Python ${python:-?}, PyTorch ${torch:-none}"
    "cuBLAS of PyTorch: ${torchs:-none}"
    "cuBLAS that Weft finds: ${own:-none}"
  )
  if [[ $counts == doctor-named-cublas || $counts == doctor-named-both ]]; then
    in_use="$torchs (of PyTorch)"
  else
    in_use=$own
  fi
}

# the log of the doctor that came farthest: one that had all it needs to try the device
best_doctor() {
  local log name
  for name in named-driver '' named-both named-cublas; do
    log=$parts/doctor${name:+-$name}.log
    ! grep 'missing *cuda:0: ' "$log" 2>/dev/null | grep -qv ': not usable until' || break
    log=$parts/doctor-named-driver.log
    [[ -s $log ]] || log=$parts/doctor.log
  done
  echo "$log"
}

# what keeps the device from opening, by what it said, and what it advises
obstacle() {
  awk '
    $1 != "->" {wanted = 0}
    $1 == "missing" && (said == "" || (/cuda:0: / && !/: not usable until/)) {
      said = $0
      advice = ""
      wanted = 1
    }
    $1 == "->" && wanted {advice = $0}
    END {
      sub(/^ *missing */, "", said)
      sub(/^ *-> */, "; ", advice)
      print said == "" ? "doctor did not say why" : said advice
    }' "$(best_doctor)" 2>/dev/null
}

# whether there is no GPU, as far as can be said: none that a program sees, and no driver that
# starts, by what doctor found out itself; a container may have a GPU and no nvidia-smi
nothing_here() {
  [[ -z $gpu && -z $(probed gpu) ]] &&
    grep -qE "missing +NVIDIA driver|$no_gpu" "$(best_doctor)"
}
no_gpu='missing +cuda:0: .*(driver does not start|has 0 device)'

# say_nothing_here FILE: where it was looked, the driver that was found or none, and what to do
say_nothing_here() {
  local smi where='the loader knows no libcuda.so.1, and none was found' advice
  case ${ended_as[nvidia-smi]:-} in
    '') smi='is not installed' ;;
    PASS) smi='lists none' ;;
    TIME) smi='does not end' ;;
    *) smi='fails' ;;
  esac
  advice="install NVIDIA's driver, or name the one there is: WEFT_CUDA_DRIVER=/path/to/libcuda.so.1"
  [[ -z $1 ]] || where="there is no $1"
  [[ ! -e $1 ]] || where="the driver $1 does not start"
  [[ -z $torch ]] || where+=', PyTorch sees none'
  sentence device FAIL "no NVIDIA GPU or driver was found: nvidia-smi $smi, $where; $advice"
}

look_around() {
  local fields=name,driver_version,clocks.sm,clocks.max.sm,clocks.mem,power.limit,temperature.gpu
  local own named='' file
  if command -v python3 >/dev/null; then probe; else row python - '' 'is not installed'; fi
  if command -v nvidia-smi >/dev/null; then
    shows[nvidia-smi]='MHz|W' mild[nvidia-smi]='.' # the clocks, no more
    begin nvidia-smi 10 nvidia-smi --format=csv,noheader "--query-gpu=$fields"
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
  doctor doctor 15
  await
  if [[ ${ended_as[nvidia-smi]:-} == PASS ]]; then # it says in the same way that it sees none
    IFS=, read -r gpu driver _ < <(grep -m1 , "$parts/nvidia-smi.log")
    driver=${driver// /}
  fi
  python=$(probed python) torch=$(probed torch) cublas=$(probed libcublas)
  # the harness, and so what watches it, asks the loader alone; it needs no cuBLAS, so a driver
  # stays named whether or not Weft opens the device
  own=$(found_by doctor libcuda)
  case ${own##* (} in
    'loader path)' | 'named)') ;;
    '') file=$(find_driver '') && name_driver "$file" && named=1 ;;
    *) name_driver "${own% (*}" && named=1 ;;
  esac
  if [[ -n $cublas ]] && { [[ -n $counts$named ]] || ! nothing_here; }; then
    row 'cuBLAS of PyTorch' - '' "${cublas#* }, ${cublas%% *}"
    torch_cublas
    doctor doctor-named-cublas 10 || own_cublas
  fi
  # the driver that the loader knows may be one to link with, and another the true one
  if [[ -z $counts && -z $named ]] && cat "$parts"/doctor*.log | grep -qE "$no_gpu" &&
    file=$(find_driver "${own% (*}") && name_driver "$file"; then
    [[ -z $cublas ]] || { torch_cublas && doctor doctor-named-both 10; } || own_cublas
    [[ -n $counts ]] || doctor doctor-named-driver 10 || own_driver
  elif [[ -z $counts && -n $named ]]; then
    doctor doctor-named-driver 10
  fi
  version=$(sed -n 's/^weft  *//p' "$parts"/doctor*.log | head -n 1)
  java=$(sed -n 's/^Java  *\([^,]*\).*/\1/p' "$parts"/doctor*.log | head -n 1)
  sum_up
  keep
  [[ -z $counts ]] || return 0
  if nothing_here; then
    say_nothing_here "${WEFT_CUDA_DRIVER:-${own% (*}}"
    return 2
  fi
  sentence device FAIL "Weft does not open it: $(obstacle); what follows is the harness and PyTorch alone"
  return 1
}

# ---- is it right ----
# before all others, since it takes seconds: where it fails over PyTorch's cuBLAS, Weft's own find
# is tried once, and is used from there on if it passes
brief() {
  local own
  brief_over brief && return
  own=$(found_by doctor libcublas)
  [[ -n $own && $counts == doctor-named-* && ${WEFT_CUBLAS:-} == "${cublas%% *}" ]] || return
  [[ ${ended_as[brief]:-} =~ FAIL|TIME && ! ${own% (*} -ef $WEFT_CUBLAS ]] || return
  local before=$counts
  own_cublas
  if ! doctor doctor-own-cublas 10 || ! brief_over brief-own-cublas; then
    counts=$before
    torch_cublas
  fi
}

brief_over() {
  shows[$1]='passed|failed|wrong'
  part "$1" 20 "$weft" selftest --device cuda --brief
}

selftest() {
  shows[selftest]='passed|failed|wrong'
  beside selftest 90 "$weft" selftest --device cuda \
    "${quick[@]}" --json "$parts/selftest.json"
}

gradcheck() {
  shows[gradcheck]='passed|failed|wrong'
  beside gradcheck 40 "$weft" gradcheck --device cuda
}

some_rows='^PASS: [1-9][0-9]* rows'

# only where the bundle has one
has_harness() {
  [[ -x $replay ]] || { row "$1" - '' 'the bundle has no harness' && return 1; }
}

harness() {
  has_harness harness-check || return
  shows[harness-check]='^(PASS|FAIL): ' needs[harness-check]=$some_rows
  beside harness-check 60 "$replay" --check "${quick[@]}" --json "$parts/harness-check.json"
}

train_one() {
  local name=train-$1 device=$2 most=20
  shift 2
  shows[$name]='test accuracy'
  [[ $device != cpu ]] || most=70
  beside "$name" "$most" "$weft" train --device "$device" "${data[@]}" \
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
    beside "$name" 60 "${tool[@]}" "$replay" --check --exact "${quick[@]}"
  else
    needs[$name]='self-test passed'
    beside "$name" 90 "${tool[@]}" "$bundle/java/bin/java" --enable-native-access=ALL-UNNAMED \
      -Dweft.allocator=exact -cp "$bundle/lib/*" dev.weft.cli.Main selftest --device cuda --brief
  fi
}

memcheck() { sanitize memcheck; }
racecheck() { sanitize racecheck; }

# ---- is it fast ----
measured=() peers=()

# bench NAME SECONDS PART...: what there is when its time is over is written all the same
bench() {
  local name=$1 seconds=$2 most
  shift 2
  joins[$name]='^  (Weft|cuda, ).* us'
  most_time "$name" $((slow * seconds))
  part "$name" "$seconds" "$weft" bench "$@" --peer none --quick --turns 1 \
    --minutes "$(awk "BEGIN {m = ($most - 10000) / 60000; print (m > 0.05) ? m : 0.05}")" \
    --json "$parts/$name.json"
  [[ ! -s $parts/$name.json ]] || measured+=("$parts/$name.json")
}

# peer NAME SECONDS OPTION...
peer() {
  local name=$1 most=$2 said
  shift 2
  if [[ -z $torch ]]; then
    [[ ${ended_as[python]:-} == TIME ]] && said='was not found out in time' || said='is not here'
    row "$name" - '' "PyTorch $said"
    return
  fi
  needs[$name]=' us ' spoilt[$name]='^(cpu|cuda) .* failed: '
  shows[$name]='^(cpu|cuda) .* (us |failed: )'
  part "$name" "$most" python3 "$here/peers/torch_steps.py" \
    --device "$torch_device" --seconds "$torch_seconds" --json "$parts/$name.json" "$@"
  [[ ! -s $parts/$name.json ]] || peers+=(--peer-json "$parts/$name.json")
}

# PyTorch between two turns of Weft
steps() {
  local n=$((${turn:-0} + 1))
  turn=$((n + 1))
  bench "weft-steps-$n" 25 steps --device cuda --only "$rows"
  peer "torch-$n" 65 --mode eager --mode graph --dtype f32 --dtype tf32 --dtype bf16 \
    --step "$step" ${wide_step:+--step "$wide_step@bf16" --products}
  bench "weft-steps-$turn" 25 steps --device cuda --only "$rows"
}

# the rows farthest from what bytes and operations predict, of large operands: of small ones a
# launch takes longer than both
farthest() {
  local pattern='s/.*"kernel": "\([^"]*\)", "variant": "\([^"]*\)", "size": "[^"]* MB".*'
  printf %s "$(grep -E '^PASS: ' "$parts/harness-time.log" | tail -n 1)"
  sed -n "$pattern"'"ratio": \([0-9.e+]*\).*/\3 \1 \2/p' "$parts/harness-time.json" | sort -rg |
    head -n 5 | awk '{
      ratio = $1; $1 = ""; sub(/ +$/, "")
      printf "%s%s %.1f", NR == 1 ? "; us / predicted:" : ",", $0, ratio
    }'
}

replay_timed() {
  has_harness harness-time || return
  tells[harness-time]=farthest
  shows[harness-time]='^(PASS|FAIL): ' needs[harness-time]=$some_rows
  part harness-time 45 "$replay" --time "${timed[@]}" --json "$parts/harness-time.json"
}

kernels() {
  replay_timed
  bench weft-kernels 85 ceilings kernels --device cuda --only "$ceilings|$kernel_rows"
}

wide() {
  [[ -n $wide_step ]] || { row weft-wide - '' 'not in a rehearsal' && return; }
  bench weft-wide 55 steps --device cuda --math bf16 --only "$wide_rows"
}

profile() {
  extra[profile]=1
  part profile 15 "$weft" train --device "$profiled" "${data[@]}" \
    --hidden "$hidden" --dropout 0 --batch 128 "--profile=$parts/trace.json"
}

# the step of a narrow network, fused and not
fusion() {
  local fusion
  for fusion in never always; do
    shows[fusion-$fusion]='^step ' extra[fusion-$fusion]=1
    part "fusion-$fusion" 12 "$weft" train --device "$profiled" "${data[@]}" "${narrow[@]}" \
      --dropout 0 --fusion "$fusion" "--profile=$parts/trace-$fusion.json"
  done
}

compile() {
  extra[torch-compile]=1
  peer torch-compile 75 --mode compile --dtype f32 --dtype tf32 \
    --dtype bf16 --step "$step" ${wide_step:+--step "$wide_step@bf16"}
}

# one large call of each, twice: the harness looks at the first one's outputs
ncu() {
  local kernels=${WEFT_GPU_NCU:-'bias_activation|softmax_cross_entropy|dropout|adam'} rows
  rows='^(bias_activation_forward_f32, relu|softmax_cross_entropy_f32, 32000 classes|dropout_f32'
  rows=${WEFT_GPU_NCU:-"$rows|adam_f32|bias_activation_forward_bf16, relu), 256 MB$"}
  has_harness ncu || return
  type -P ncu >/dev/null || { row ncu - '' 'is not installed' && return; }
  extra[ncu]=1 shows[ncu]='Memory Throughput|ERR_|Error' needs[ncu]='Memory Throughput +%'
  mild[ncu]='ERR_NVGPUCTRPERM' tells[ncu]=throughputs
  part ncu 45 ncu --clock-control none \
    --kernel-name "regex:$kernels" --launch-count 12 --section SpeedOfLight \
    --section MemoryWorkloadAnalysis --section LaunchStats --section Occupancy \
    "$replay" --time "${timed[@]}" --repeats 1 --only "$rows"
}

throughputs() {
  awk '
    /^ +[a-z_0-9]+ \([0-9]/ {name = $1}
    /Memory Throughput +% / && name != last {printf "%s%s %s", last == "" ? "" : ", ", name, $NF}
    /Memory Throughput +% / {last = name}
    END {print " % of the memory throughput"}' "$parts/ncu.log"
}

# the tables for bench/results/README.md, and a row for each target
targets() {
  local outcome what found
  ((${#measured[@]})) || { row targets - '' 'nothing was measured' && return; }
  reserve=0
  part targets 9 "$weft" bench targets "${measured[@]}" ${peers[@]+"${peers[@]}"} \
    --verdicts "$parts/verdicts.tsv" || return
  in_place targets.md head -c 1000000 "$parts/targets.log"
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

# a function, so that bash has read all of this file before it begins: it may be changed meanwhile
main() {
  keep
  unpack
  local seen
  look_around
  seen=$?
  if ((seen == 0)); then
    if ((${#wanted[@]} == 0)); then
      if [[ $call == first ]]; then
        wanted=(brief selftest gradcheck train harness steps kernels wide profile fusion)
      else
        wanted=(brief memcheck racecheck steps compile ncu)
      fi
    fi
    keep_time
    each brief
    sum_up
    row 'cuBLAS in use' - '' "$in_use"
    # the longest first
    each selftest gradcheck memcheck racecheck harness train
    await
    tested
    [[ " ${wanted[*]} " != *' train '* ]] || trained
    pack
    each steps kernels wide profile fusion compile ncu
  elif ((seen == 1)); then
    harness
    await
    replay_timed
    peer torch-1 65 --mode eager --mode graph --dtype f32 --dtype tf32 --dtype bf16 --step "$step"
  fi
  ((seen == 2)) || targets
  complete=true
  keep
  pack
  echo
  last_block
  status
  exit "$status"
}
main
