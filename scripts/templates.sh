#!/usr/bin/env bash
# Put the templates into the one format, or only look whether they are.
#   templates.sh [--check]
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t templates < <(find . -path ./.venv -prune -o -path ./.local -prune -o -path '*/templates/*' -name '*.html' -print | sort)
((${#templates[@]})) || exit 0
exec .venv/bin/djade --target-version 5.2 "$@" "${templates[@]}"
