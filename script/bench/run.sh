#!/bin/sh
# Prints one JSON object per benchmark, one per line.
#
#     sh script/bench/run.sh [NAME...]
#
# Without names all run, one after the other, because each needs the machine for itself; --list tells the names.
# Works from any folder. Exit codes: those of nntest; 2 when the environment is missing.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
python=$root/.venv/bin/python
if [ ! -x "$python" ]; then
  printf 'nntest bench: %s was not found; run `sh %s/script/demo/run.sh` first\n' "$python" "$root" >&2
  exit 2
fi
exec "$python" "$root/script/bench/bench.py" "$@"
