#!/usr/bin/env bash
# Put the templates into the one format, or only look whether they are.
#   templates.sh [--check]
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t templates < <(find . -path ./.venv -prune -o -path ./.local -prune -o -path '*/templates/*' -name '*.html' -print | sort)
((${#templates[@]})) || exit 0
djade() { .venv/bin/djade --target-version 5.2 "$@" "${templates[@]}"; }

# It ends with 1 after it has written anything: what counts is that nothing is left to write.
djade "$@" || { (($# == 0)) && djade --check; }
