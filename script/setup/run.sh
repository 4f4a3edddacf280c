#!/bin/sh
# Makes what NNTest needs: .venv in this checkout with all packages, and this checkout known to ck.
#
#     sh script/setup/run.sh [--test | --check]
#
# Works from any folder, never asks, does nothing where nothing is to do. --test adds the tools of the tests;
# --check changes nothing and ends with 1 where there is something to do.
# NNTEST_PYTHON names the Python to use. HOME, CK_REPOS, CK_LOCAL_REPO and pip's own settings are respected.
# Exit codes: 0 done, 2 something is missing (one line says what, and what to do), 130 interrupted.
set -eu

version=1 # part of the stamp: a new set-up is run once on old environments
needed_mb=1500

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
venv=$root/.venv
stamp=$venv/nntest-set-up
log=$venv/nntest-set-up.log

fail() {
  printf 'nntest set-up: %s\n' "$1" >&2
  exit 2
}

in_range='import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))'

works() { "$1" -c "$in_range" >/dev/null 2>&1; }

find_python() {
  if [ -n "${NNTEST_PYTHON:-}" ]; then
    works "$NNTEST_PYTHON" || fail "NNTEST_PYTHON=$NNTEST_PYTHON is no Python 3.10 to 3.13; name another one"
    python=$NNTEST_PYTHON
    return
  fi
  for python in python3 python3.13 python3.12 python3.11 python3.10; do
    if works "$python"; then return; fi
  done
  found=$(python3 -c 'import platform; print("python3 is " + platform.python_version())' 2>/dev/null) ||
    found='there is no python3'
  fail "Python 3.10 to 3.13 was not found on PATH ($found); install one, or name it: NNTEST_PYTHON=/path/to/python3"
}

has_space() {
  free_mb=$(df -Pk "$root" | awk 'NR == 2 { print int($4 / 1024) }')
  [ "$free_mb" -ge "$needed_mb" ] ||
    fail "$root has $free_mb MB free; the packages need $needed_mb MB; free some, or clone to another disk"
}

# oneDNN's wheel is linked against the runtime of GCC's OpenMP and C++ but does not bring them along.
has_runtime() {
  for name in libgomp.so.1:libgomp1:libgomp libstdc++.so.6:libstdc++6:libstdc++; do
    file=${name%%:*}
    packages=${name#*:}
    "$python" -c "import ctypes; ctypes.CDLL('$file')" >/dev/null 2>&1 ||
      fail "$file was not found, oneDNN needs it; install it: apt install ${packages%:*} (or: dnf install ${packages#*:})"
  done
}

make_venv() {
  "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 || {
    short=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    fail "$(command -v "$python") has no venv module; install it: apt install python$short-venv"
  }
  for folder in "$root" "$venv"; do
    [ ! -e "$folder" ] || [ -w "$folder" ] || fail "$folder cannot be written; clone to a folder of your own"
  done
  "$python" -m venv --clear "$venv" >/dev/null 2>&1 || {
    has_space
    fail "$venv could not be made by $(command -v "$python") -m venv; run that command to see why"
  }
}

install() {
  # pip's own defaults wait for minutes where there is no network at all
  PIP_USER=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    "$venv/bin/python" -m pip install --retries 2 "$@" >>"$log" 2>&1 && return
  if grep -q 'No space left on device' "$log"; then
    fail "no space is left on the disk of $venv or of the temporary folder; free $needed_mb MB and run this again"
  fi
  if grep -Eq 'NewConnectionError|NameResolutionError|ConnectTimeout|ConnectionError|ReadTimeout|ProxyError|Failed to establish|Temporary failure in name|SSLError|unreachable' "$log"; then
    fail "the package index was not reached; check the network (or PIP_INDEX_URL, PIP_PROXY) and run this again"
  fi
  fail "pip stopped: $(sed -n 's/^ *ERROR: //p' "$log" | tail -n 1); the whole log is $log"
}

install_ck() {
  if "$venv/bin/python" -c 'import ck.kernel' >/dev/null 2>&1; then return; fi
  if "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 12))'; then
    # ck 2.6.4 imports imp, which Python 3.12 dropped, in its own setup.py too
    install zombie-imp setuptools wheel
    install --no-build-isolation ck==2.6.4
  else
    install ck==2.6.4
  fi
}

extras=libraries
case ${1:-} in
  --test) extras=libraries,test ;;
  --check | '') ;;
  -h | --help)
    printf 'usage: sh script/setup/run.sh [--test | --check]\n'
    exit 0
    ;;
  *) fail "there is no option $1; expected --test, --check or nothing" ;;
esac
if [ -z "${CXX:-}" ] && ! command -v c++ >/dev/null 2>&1; then extras=$extras,zig; fi

# An environment that was set up with the tools of the tests serves without them too.
wanted="$version $(cksum <"$root/pyproject.toml") $root"
up_to_date() {
  [ -f "$stamp" ] && [ "$(head -n 1 "$stamp")" = "$wanted" ] && works "$venv/bin/python" || return 1
  [ -z "${NNTEST_PYTHON:-}" ] || [ "$(tail -n 1 "$stamp")" = "$("$NNTEST_PYTHON" -V)" ] || return 1
  for extra in $(printf '%s' "$extras" | tr ',' ' '); do
    sed -n 2p "$stamp" | tr ',' '\n' | grep -qx "$extra" || return 1
  done
}

if [ "${1:-}" = --check ]; then
  if up_to_date; then exit 0; fi
  exit 1
fi

# The scripts in an environment carry its path: one that was moved or copied is made anew.
usable() {
  works "$1" && "$1" -m pip --version >/dev/null 2>&1 && grep -qF "$venv/bin/python" "$venv/bin/pip" 2>/dev/null
}

if ! up_to_date; then
  python=$venv/bin/python
  if [ -n "${NNTEST_PYTHON:-}" ] || ! usable "$python"; then
    find_python
    has_runtime
    has_space
    make_venv
  else
    has_runtime
  fi
  if [ -f "$stamp" ]; then rm "$stamp"; fi
  : >"$log"
  printf 'setting up %s with %s; packages are downloaded once, this takes a minute or two\n' \
    "$venv" "$("$venv/bin/python" -V)" >&2
  install -e "$root[$extras]"
  install_ck
  printf '%s\n%s\n%s\n' "$wanted" "$extras" "$("$venv/bin/python" -V)" >"$stamp"
fi

# Cheap and idempotent; every time, because HOME may be another one than last time.
"$venv/bin/python" -m nntest.faces.install
