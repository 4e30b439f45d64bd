# Sourced by dev.sh and build.sh: which system packages and which Python environment the project needs, and how they get there.
# Exits with 3 where a system package is missing and cannot be installed from here. All it says goes to stderr.
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
test_packages=(mosquitto-clients jq openbox xdotool sqlite3 x11-utils desktop-file-utils appstream dbus-daemon dbus-bin gnome-keyring)
rabbit_packages=(rabbitmq-server) # half a minute to install: not for every run
# the example for Node runs with whatever Node is there; Debian's own brings npm as a package of its own
command -v npm >/dev/null || test_packages+=(nodejs npm)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

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
