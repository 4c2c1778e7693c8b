#!/usr/bin/env bash
# Install what is missing and make the embedded database. Quick when there is nothing to do.
#   setup.sh [--dev]    --dev: also what tests and checks need
set -euo pipefail
cd "$(dirname "$0")/.."

lock=requirements.lock
[[ ${1-} == --dev ]] && lock=requirements-dev.lock

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

is_new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
    if is_new_enough "$candidate"; then
      printf '%s' "$candidate"
      return
    fi
  done
  fail "Python 3.11 or later is needed and was not found: install it, or name it: PYTHON=/path/to/python3 make setup"
}

make_environment() {
  local python version
  python=$(find_python)
  echo "Making the Python environment …" >&2
  rm -rf .venv
  if ! "$python" -m venv .venv >/dev/null 2>&1; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    scripts/system-packages.sh "python$version-venv"
    rm -rf .venv
    "$python" -m venv .venv || fail "the Python environment cannot be made here: see the message above."
  fi
}

# A folder that was moved or whose Python was removed has an environment that does not run any more.
if ! is_new_enough .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  [[ -w . ]] || fail "this folder cannot be written by $(id -un): give it to that user (chown -R), or clone it anew."
  make_environment
fi

digest() {
  cat "$1" .venv/pyvenv.cfg | sha256sum | cut -d ' ' -f 1
}

is_installed() {
  [[ -f .venv/installed-$1 && $(<".venv/installed-$1") == "$(digest "$1")" ]]
}

# The lock of tests and checks contains that of the product.
if ! is_installed "$lock" && ! { [[ $lock == requirements.lock ]] && is_installed requirements-dev.lock; }; then
  echo "Installing the packages of $lock …" >&2
  .venv/bin/python -m pip install --quiet --no-compile --no-deps --require-hashes --requirement "$lock" ||
    fail "the packages cannot be installed: see the message above; the network and some 500 MB of disk are needed."
  rm -f .venv/installed-*
  digest "$lock" >".venv/installed-$lock"
fi

# Python compiles each file once, but keeps nothing where it is told to write none
# (PYTHONDONTWRITEBYTECODE) or may not write: every command would compile a thousand files anew.
compile_files() {
  .venv/bin/python -m compileall -qq -j 0 "$@" ||
    echo "Some files cannot be compiled; commands will start more slowly." >&2
}

if [[ -w .venv ]]; then
  installed=$(cat .venv/installed-*)
  if [[ ! -f .venv/compiled || $(<.venv/compiled) != "$installed" ]]; then
    echo "Compiling the packages …" >&2
    # What no process of the product loads is left out.
    compile_files -x '/(pip|setuptools|mypy|mypyc|playwright|hypothesis|locale|tests?)/' .venv/lib
    printf '%s' "$installed" >.venv/compiled
  fi
  packages=(*/__init__.py)
  compile_files "${packages[@]%/__init__.py}"
fi

scripts/system-packages.sh
.venv/bin/python manage.py prepare
