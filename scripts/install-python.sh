#!/usr/bin/env bash
# Makes .venv with the pinned packages of requirements/$1.txt (run or dev), and our two
# distributions as they stand in this checkout.
set -euo pipefail
cd "$(dirname "$0")/.."
pins=requirements/$1.txt

find_python() {
  local candidate
  for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "Stalewatch needs Python 3.11 or newer; name one with PYTHON=/path/to/python3." >&2
  return 1
}

make_environment() {
  local python
  python=$(find_python)
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "$python cannot make virtual environments; on Debian: apt-get install python3-venv" >&2
    return 1
  fi
  "$python" -m venv --clear .venv
}

# uv takes seconds where pip takes a minute; but a registry that only pip's configuration names,
# uv does not see.
install() {
  .venv/bin/uv pip install --quiet --python .venv/bin/python "$@" ||
    .venv/bin/python -m pip install --quiet "$@"
}

.venv/bin/python -c '' 2>/dev/null || make_environment
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/boot.txt
install -r "$pins"
install --no-deps --no-build-isolation -e . -e sdk
