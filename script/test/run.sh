#!/bin/sh
# Sets up what is missing, then runs every check of the project; pytest's closing line comes last.
#
#     sh script/test/run.sh [--full] [-- PYTEST-OPTION...]
#
# --full adds the long campaigns. Exit code: 0 all passed, otherwise that of the first check that failed.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
which='not full'
if [ "${1:-}" = --full ]; then
  which=
  shift
fi
if [ "${1:-}" = -- ]; then shift; fi

sh "$root/script/setup/run.sh" --test

cd "$root"
PATH=$root/.venv/bin:$PATH
export PATH
ruff check .
mypy
nntest check .
exec python -m pytest -m "$which" "$@"
