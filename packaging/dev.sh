#!/usr/bin/env bash
# Installs what is missing, then runs Murmurscope or its checks. Needs nothing but a Debian with bash.
#   bash packaging/dev.sh run [arguments of murmurscope…]
#   bash packaging/dev.sh test [services|--long] [arguments of pytest…]
#       services: only the tests against real brokers and a real X server;  --long: everything, then the tests that take minutes
# Exit codes of its own: 2 usage, 3 a system package is missing and cannot be installed from here.
# What it does itself is told on stderr: stdout belongs to the command (export, backup -).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

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
    rules | reread | why | logs | incident | task | example | --help | -h | --version) return 1 ;;
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
  local which=short start packages=("${base_packages[@]}" "${window_packages[@]}" "${virtual_screen_packages[@]}" "${test_packages[@]}")
  case ${1:-} in
    services) which=services; shift ;;
    --long) which=long; shift ;;
  esac
  start=$(now_ms)
  [ "$which" = short ] || packages+=("${rabbit_packages[@]}")
  install_packages "${packages[@]}"
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
    # most tests wait for processes; a short temporary folder, as the path of a control socket may have 107 characters;
    # a worker that crashed is not replaced: the run ends red instead of waiting for what it had taken
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/murm.XXXX")
    trap 'rm -rf "$scratch"' EXIT
    stage pytest "$python" -m pytest -n 4 --dist loadfile --max-worker-restart 0 --basetemp "$scratch/t" "$@"
    # a soak may be busy for an hour in one test
    [ "$which" != long ] || stage 'pytest (long)' "$python" -m pytest -m 'long or rabbitmq' -o faulthandler_timeout=5400 "$@"
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
