#!/bin/sh
# The main job: the layers of MobileNet-v1-1.0-224 on the programs of three libraries, checked, recorded, analysed.
#
#     sh script/demo/run.sh
#
# Sets up what is missing, works from any folder, never asks. The last line is the path of the report.
# Exit codes: those of `nntest run`; 3 means that some points failed, the report is written all the same.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
timestamp=demo-$(date +%Y%m%d%H%M%S)
out=$root/out/$timestamp

sh "$root/script/setup/run.sh"
nntest=$root/.venv/bin/nntest

code=0
"$nntest" run 'conv-onednn-cpu,directconv-onednn-cpu,conv-openblas-cpu,conv-plain-cpu,depthwiseconv-onednn-cpu,depthwiseconv-plain-cpu' \
  --dataset '*mobilenets-v1-1.0-224' --repetitions 10 --threads 1 --timestamp "$timestamp" || code=$?
[ "$code" = 0 ] || [ "$code" = 3 ] || exit "$code"

for analysis in speedup violin adaptive; do
  options=
  if [ "$analysis" = speedup ]; then options=--baseline=program:directconv-onednn-cpu; fi
  # shellcheck disable=SC2086 # no word at all, or one
  "$nntest" analyse "$analysis" local --tags "nntest,$timestamp" $options --out "$out" >/dev/null
done

printf '%s\n' "$out/report.html"
exit "$code"
