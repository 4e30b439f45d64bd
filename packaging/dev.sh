#!/usr/bin/env bash
# Installs what is missing, then runs Murmurscope or its checks. Needs nothing but a Debian with bash.
#   bash packaging/dev.sh run [arguments of murmurscope…]
#   bash packaging/dev.sh test [services|--long] [arguments of pytest…]
#       services: only the tests against a real broker and a real X server;  --long: everything, then the tests that take minutes
# Exit codes of its own: 2 usage, 3 a system package is missing and cannot be installed from here.
# What it does itself is told on stderr: stdout belongs to the command (export, backup -).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
python=$venv/bin/python

# a|b: the name differs between Debian releases
base_packages=(python3 python3-venv ca-certificates mosquitto)
window_packages=(
  libgl1 libegl1 'libglib2.0-0|libglib2.0-0t64' libfontconfig1 libdbus-1-3 libxkbcommon0 fonts-dejavu-core
  libxcb-cursor0 libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libxcb-xfixes0
  libwayland-client0 libwayland-cursor0 libwayland-egl1
)
virtual_screen_packages=(xvfb xauth)
test_packages=(mosquitto-clients openbox xdotool sqlite3 x11-utils)

say() { printf 'dev.sh: %s\n' "$*" >&2; }

# missing_packages NAME…: those not installed, one a line, alternatives still unresolved
missing_packages() {
  local have wanted name
  have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' ${*//|/ } 2>/dev/null | sed -n 's/ installed$//p') || true
  for wanted in "$@"; do
    for name in ${wanted//|/ }; do
      grep -qxF -- "$name" <<<"$have" && continue 2
    done
    printf '%s\n' "$wanted"
  done
}

# choose NAME|NAME: the one this Debian release knows, else the first
choose() {
  local name
  for name in ${1//|/ }; do
    apt-cache show --quiet=2 "$name" >/dev/null 2>&1 && { printf '%s\n' "$name"; return; }
  done
  printf '%s\n' "${1%%|*}"
}

install_packages() {
  command -v dpkg-query >/dev/null || { say 'not a Debian: the libraries of Qt, Mosquitto and Python must be there already'; return; }
  local missing=() names=() wanted as_root=()
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null; then as_root=(sudo); else as_root=(none); fi
  fi
  if [ "${as_root[*]}" != none ]; then
    say "installing with apt-get: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq >&2 || say 'apt-get update failed; trying with the lists that are there'
  fi
  for wanted in "${missing[@]}"; do names+=("$(choose "$wanted")"); done
  if [ "${as_root[*]}" = none ] || ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
      --no-install-recommends -o DPkg::Lock::Timeout=120 "${names[@]}" >&2; then
    say 'system packages are missing; as root, run:'
    say "  apt-get update && apt-get install -y --no-install-recommends ${names[*]}"
    exit 3
  fi
}

make_venv() {
  local stamp=$venv/.constraints wanted system_python
  wanted=$(sha256sum "$root/packaging/constraints.txt" | cut -d' ' -f1)
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && "$python" -c '' 2>/dev/null && return
  export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
  if ! "$python" -m pip --version >/dev/null 2>&1; then
    system_python=/usr/bin/python3
    [ -x "$system_python" ] || system_python=python3
    "$system_python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { say 'Python 3.11 or newer is needed'; exit 3; }
    say "creating the environment $venv"
    "$system_python" -m venv --clear "$venv" >&2
  fi
  say 'installing the pinned Python packages'
  "$python" -m pip install --quiet --upgrade pip >&2
  "$python" -m pip install --quiet --require-hashes -r "$root/packaging/constraints.txt" >&2
  printf '%s\n' "$wanted" >"$stamp"
}

# first_command ARGUMENT…: the command among murmurscope's arguments; nothing means the window
first_command() {
  while [ $# -gt 0 ]; do
    case $1 in
      --workspace) shift $(($# > 1 ? 2 : 1)) ;;
      --workspace=*) shift ;;
      *) printf '%s\n' "$1"; return ;;
    esac
  done
}

needs_window() {
  case $(first_command "$@") in
    record | agent | simulate | broker | import | export | info | verify | backup | restore) return 1 ;;
    rules | reread | why | logs | task | example | --help | -h | --version) return 1 ;;
    *) return 0 ;;
  esac
}

run() {
  local wrap=() packages=("${base_packages[@]}")
  if needs_window "$@"; then
    packages+=("${window_packages[@]}")
    if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}${QT_QPA_PLATFORM:-}" ]; then
      packages+=("${virtual_screen_packages[@]}")
      wrap=(xvfb-run -a -s '-screen 0 1600x1000x24')
    fi
  fi
  install_packages "${packages[@]}"
  make_venv
  [ ${#wrap[@]} -eq 0 ] || say 'no display found: showing the window on a virtual screen'
  # -P and PYTHONPATH: ours is the app that is meant, whatever folder this is called from
  export PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH}
  exec "${wrap[@]}" "$python" -P -m app "$@"
}

summary=()
failed=0
now_ms() { local t=${EPOCHREALTIME/[.,]/}; printf '%s\n' "${t%???}"; }

# stage NAME COMMAND…: run it whatever happened before, note how long it took
stage() {
  local name=$1 start took verdict=ok
  shift
  printf '\n== %s\n' "$name"
  start=$(now_ms)
  "$@" || { verdict="FAILED ($?)"; failed=1; }
  took=$(($(now_ms) - start))
  summary+=("$(printf '%-22s %4d.%d s  %s' "$name" $((took / 1000)) $((took % 1000 / 100)) "$verdict")")
}

checks() {
  local which=short start
  case ${1:-} in
    services) which=services; shift ;;
    --long) which=long; shift ;;
  esac
  start=$(now_ms)
  install_packages "${base_packages[@]}" "${window_packages[@]}" "${virtual_screen_packages[@]}" "${test_packages[@]}"
  make_venv
  summary+=("$(printf '%-22s %4d s' 'set-up' $((($(now_ms) - start) / 1000)))")
  cd "$root"
  if [ "$which" = services ]; then
    stage 'pytest (services)' "$python" -m pytest -m 'services and not long' "$@"
  else
    stage 'ruff check' "$python" -m ruff check .
    stage 'ruff format --check' "$python" -m ruff format --check .
    stage mypy "$python" -m mypy
    stage lint-imports "$venv/bin/lint-imports"
    stage pytest "$python" -m pytest "$@"
    # a soak may be busy for an hour in one test
    [ "$which" != long ] || stage 'pytest (long)' "$python" -m pytest -m long -o faulthandler_timeout=5400 "$@"
  fi
  printf '\n== summary\n'
  printf '%s\n' "${summary[@]}"
  exit "$failed"
}

verb=${1:-}
[ $# -eq 0 ] || shift
case $verb in
  run) run "$@" ;;
  test) checks "$@" ;;
  *) sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
