#!/usr/bin/env bash
# Builds the one-folder program into dist/murmurscope and starts it for real: window, recorder, broker, a painted plot.
#   bash packaging/build_frozen.sh [--no-smoke]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
python=.venv/bin/python
[ -x "$python" ] || { echo 'build_frozen.sh: first run: bash packaging/dev.sh test' >&2; exit 2; }
command -v objdump >/dev/null || { echo 'build_frozen.sh: PyInstaller needs: sudo apt-get install binutils' >&2; exit 3; }
"$python" -m PyInstaller --noconfirm --log-level WARN --distpath dist --workpath build packaging/app.spec
du -sm dist/murmurscope | sed 's/\t.*/ MB unpacked/'
[ "${1:-}" = --no-smoke ] || "$python" packaging/smoke.py dist/murmurscope/murmurscope
