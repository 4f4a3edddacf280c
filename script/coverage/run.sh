#!/bin/sh
# Measures all programs over all datasets that fit them, dataset after dataset, and writes docs/coverage.md.
#
#     sh script/coverage/run.sh [--budget 2h] [--repetitions N] [--name coverage] [--out FILE] [--summary]
#
# Asks nothing. Ends when the budget is spent; the same command goes on where it ended. Works from any folder.
# Exit codes: those of nntest (3: some points failed); 2 when the environment is missing.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
python=$root/.venv/bin/python
if [ ! -x "$python" ]; then
  printf 'nntest coverage: %s was not found; run `sh %s/script/demo/run.sh` first\n' "$python" "$root" >&2
  exit 2
fi
exec "$python" "$root/script/coverage/coverage.py" "$@"
