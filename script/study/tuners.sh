#!/bin/sh
# The study of tuners on what is here: is DEFAULT always better than NONE?
#
#     sh script/study/tuners.sh [OUT [NETWORK]]
#
# Measures the convolutions of a network, MobileNet-v1 without one, with both tuners: CLBlast on the first OpenCL device,
# and, where the target linux-arm64-qemu is installed, Arm Compute Library (conv and directconv) under emulation, which
# says nothing about Arm's speed and takes hours: its tuner tries hundreds of local sizes, and PoCL compiles each. Asks
# nothing; the same command goes on where it ended, under emulation at the shape it was at. Tables, charts and the answer
# go to OUT (out/tuners in the checkout without it). Exit codes: those of nntest; 2 when the environment is missing.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
nntest=$root/.venv/bin/nntest
if [ ! -x "$nntest" ]; then
  printf 'nntest tuners: %s was not found; run `sh %s/script/demo/run.sh` first\n' "$nntest" "$root" >&2
  exit 2
fi
out=${1:-$root/out/tuners}
network=${2:-mobilenets-v1-1.0-224}
suffix=${2:+-$2}
dataset=tensor-conv-$network
if [ ! -d "$root/dataset/$dataset" ]; then
  printf 'nntest tuners: %s: there is no dataset %s; see `nntest list datasets`\n' "$network" "$dataset" >&2
  exit 2
fi
status=0

# Some failed points (3) are a result; everything else ends the study.
measure() {
  code=0
  "$nntest" run "$@" --tuner=NONE,DEFAULT --dataset="$dataset" --timeout=20min --resume || code=$?
  if [ "$code" = 3 ]; then status=3; elif [ "$code" != 0 ]; then exit "$code"; fi
}

measure conv-clblast-opencl --timestamp="tuners-clblast$suffix"
"$nntest" analyse schedule local --tags nntest,conv --where=timestamp="tuners-clblast$suffix" \
  --network="$network" --out "$out/clblast"

if "$nntest" target list | grep -q '^linux-arm64-qemu .*installed:'; then
  for file in "$root/dataset/$dataset"/shape-*.json; do
    measure conv-armcl-opencl,directconv-armcl-opencl --target=linux-arm64-qemu --timestamp="tuners-armcl$suffix" \
      --dataset_file="$(basename -- "$file" .json)" --repetitions=2 --launches=1
  done
  "$nntest" analyse schedule local --tags nntest,conv --where=timestamp="tuners-armcl$suffix" --include=emulated \
    --network="$network" --out "$out/armcl-emulated"
else
  printf 'Arm Compute Library is left out: `nntest target install linux-arm64-qemu` makes it possible\n'
fi
exit "$status"
