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
case ${1:-} in
  --) shift ;;
  '') ;;
  -h | --help)
    printf 'usage: sh script/test/run.sh [--full] [-- PYTEST-OPTION...]\n'
    exit 0
    ;;
  *)
    printf 'nntest test: there is no option %s; expected --full, or -- before the options of pytest\n' "$1" >&2
    exit 2
    ;;
esac

sh "$root/script/setup/run.sh" --test

cd "$root"
PATH=$root/.venv/bin:$PATH
export PATH
ruff check .
mypy
nntest check .
exec python -m pytest -m "$which" "$@"
