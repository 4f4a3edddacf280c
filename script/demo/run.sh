#!/bin/sh
# The main job: the layers of MobileNet-v1-1.0-224 on the programs of three libraries, checked, recorded, analysed.
#
#     sh script/demo/run.sh
#
# Sets up what is missing, works from any folder, never asks. The last line is the path of the report.
# Exit codes: those of `nntest run`; 3 means that some points failed, the report is written all the same.
set -eu

case ${1:-} in
  '') ;;
  -h | --help)
    printf 'usage: sh script/demo/run.sh\n'
    exit 0
    ;;
  *)
    printf 'nntest demo: there is no option %s; it takes none\n' "$1" >&2
    exit 2
    ;;
esac

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
timestamp=demo-$(date +%Y%m%d%H%M%S)
out=$root/out/$timestamp

sh "$root/script/setup/run.sh"
nntest=$root/.venv/bin/nntest

code=0
"$nntest" run 'conv-onednn-cpu,directconv-onednn-cpu,conv-openblas-cpu,conv-plain-cpu,depthwiseconv-onednn-cpu,depthwiseconv-plain-cpu' \
  --dataset '*mobilenets-v1-1.0-224' --repetitions 10 --threads 1 --timestamp "$timestamp" || code=$?
[ "$code" = 0 ] || [ "$code" = 3 ] || exit "$code"

# The experiments of this run alone, whatever else has been recorded on this machine.
local=$("$root/.venv/bin/python" -c 'from nntest.store.repository import local_path; print(local_path())')
set -- "$local"/experiment/nntest-*-"$timestamp"

"$nntest" analyse speedup "$@" --baseline=program:directconv-onednn-cpu --out "$out" >/dev/null
"$nntest" analyse violin "$@" --out "$out" >/dev/null
"$nntest" analyse adaptive "$@" --network=mobilenets-v1-1.0-224 --out "$out" >/dev/null

printf '%s\n' "$out/report.html"
exit "$code"
