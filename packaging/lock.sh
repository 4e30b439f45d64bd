#!/usr/bin/env bash
# Write packaging/constraints.txt anew from pyproject.toml: every package pinned and hashed, no index named.
# Run it with CPython 3.11 on Linux x86_64, the oldest Python supported. --upgrade as argument takes newer versions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
wanted=$(mktemp -d)
trap 'rm -rf "$wanted"' EXIT
.venv/bin/python -c "import piptools" 2>/dev/null || .venv/bin/python -m pip install --quiet pip-tools
.venv/bin/python - >"$wanted/all.in" <<'PYTHON'
import tomllib

with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)
print(*project["project"]["dependencies"], *project["dependency-groups"]["dev"], sep="\n")
PYTHON
.venv/bin/python -m piptools compile --quiet --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
  --strip-extras --no-header --no-annotate --allow-unsafe --output-file packaging/constraints.txt "$@" "$wanted/all.in"
sed -i '/^ *#/d; /^$/d' packaging/constraints.txt
if grep -nE '://|file:|^-|@ ' packaging/constraints.txt; then
  echo "packaging/constraints.txt must hold pins and hashes only" >&2
  exit 1
fi
