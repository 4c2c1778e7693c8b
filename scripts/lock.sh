#!/usr/bin/env bash
# Write requirements.lock and requirements-dev.lock anew: every package, exact, with its digests.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
  .venv/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
    --no-header --no-annotate --universal --python-version 3.11 "$@"
}

compile requirements.in --output-file requirements.lock
# What runs in production is what was tested.
compile requirements-dev.in --constraint requirements.lock --output-file requirements-dev.lock
