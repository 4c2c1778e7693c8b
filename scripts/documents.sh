#!/usr/bin/env bash
# Write what docs/ has from the code: settings, events, API, pictures. --check only says if it is current.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

stale=0
for script in settings events pictures; do
  python "scripts/$script.py" "$@" || stale=1
done
if [[ ${1:-} == --check ]]; then
  diff --unified docs/openapi.yaml <(python manage.py spectacular --validate 2>/dev/null) || stale=1
else
  python manage.py spectacular --validate --file docs/openapi.yaml || stale=1
fi
exit "$stale"
