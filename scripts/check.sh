#!/usr/bin/env bash
# Run every check, then say which ones failed and what to do about each.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

failed=()

check() {
  local name=$1 cure=$2
  shift 2
  local output
  if output=$("$@" 2>&1); then
    printf 'ok      %s\n' "$name"
  else
    printf 'FAILED  %s\n%s\n' "$name" "$output"
    failed+=("$name: $cure")
  fi
}

check "format" "run \`make format\`" ruff format --check .
check "style" "run \`make format\`, then mend what is left by hand" ruff check .
check "types" "mend what mypy says; stubs for untyped packages are in typings/" mypy
check "layers" "an import goes the wrong way: move the code or the import, see [tool.importlinter] in pyproject.toml" lint-imports
check "templates" "run \`make format\`" scripts/templates.sh --check
check "migrations" "run \`.venv/bin/python manage.py makemigrations\` and commit the result" \
  python manage.py makemigrations --check --dry-run
check "documents" "run \`make documents\`, read the difference, commit it" scripts/documents.sh --check

if ((${#failed[@]})); then
  printf '\n%d of the checks failed:\n' "${#failed[@]}"
  printf '  %s\n' "${failed[@]}"
  exit 1
fi
printf '\nAll checks passed.\n'
