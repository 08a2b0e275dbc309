#!/usr/bin/env bash
# Pins names and versions into requirements/*.txt. No hashes, no registry: a mirror must serve as well.
set -euo pipefail
cd "$(dirname "$0")/.."

pin() {
  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
    --no-annotate --no-header \
    --no-emit-package stalewatch-sdk "$@" >/dev/null
}

pin requirements/boot.in --output-file requirements/boot.txt
pin pyproject.toml --extra demo --output-file requirements/run.txt
pin pyproject.toml --extra demo --group dev --constraint requirements/run.txt --output-file requirements/dev.txt
