#!/usr/bin/env bash
# Builds what users install, from a clean clone on a Debian with bash; what is missing is installed as by dev.sh.
#   bash packaging/build.sh
# In dist/ then lie
#   murmurscope/                          the program in one folder, started once for real (packaging/smoke.py)
#   murmurscope_VERSION_ARCH.deb          for Debian and its relatives: menu entry, recorder as a service of the user
#   murmurscope-VERSION-ARCH.tar.xz       to unpack anywhere, without root
# Build on the oldest release that is to run it (Debian 12): it runs with the libraries of the build machine or newer ones.
# packaging/try_installed.sh tries the .deb in fresh systems. Exit codes: 1 failed, 3 a system package is missing.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
id=io.github.murmurscope.Murmurscope
summary='Watch and record software agents that meet on an MQTT broker'
version=$(sed -n 's/^VERSION = "\(.*\)"$/\1/p' "$root/app/version.py")
build_packages=(binutils 'libpython3.11|libpython3.13' patchelf dpkg-dev xz-utils help2man)

build_program() {
  rm -rf dist/murmurscope
  "$python" -m PyInstaller --noconfirm --log-level WARN --distpath dist --workpath build/pyinstaller packaging/app.spec
  patchelf --set-rpath '$ORIGIN' dist/murmurscope/_internal/mosquitto/* # it is started without our library path
  strip --strip-debug dist/murmurscope/_internal/zstandard/backend_c.*.so # nine tenths of it, 10 MB
  find dist/murmurscope -type f -name '*.so*' -exec chmod 644 {} +
  "$python" packaging/licences.py dist/murmurscope dist/murmurscope/licences
  install -m644 LICENSE -t dist/murmurscope/licences
}

# stage_share: what desktops look for, as it lies below /usr/share, into build/share
stage_share() {
  local share=build/share
  rm -rf "$share"
  install -d "$share/icons/hicolor/256x256/apps" "$share/metainfo" "$share/man/man1"
  install -Dm644 "packaging/linux/$id.desktop" -t "$share/applications"
  install -Dm644 resources/icons/fixed/murmurscope.svg "$share/icons/hicolor/scalable/apps/$id.svg"
  QT_QPA_PLATFORM=offscreen "$python" packaging/draw_icon.py "$share/icons/hicolor/256x256/apps/$id.png"
  sed "s/@VERSION@/$version/; s/@DATE@/$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)/" "packaging/linux/$id.metainfo.xml" \
    >"$share/metainfo/$id.metainfo.xml"
  help2man --no-info --name "${summary,}" dist/murmurscope/murmurscope | gzip -9n >"$share/man/man1/murmurscope.1.gz"
}

# needed_packages STAGE: what the program's files need and it does not bring, as dependencies of a Debian package
needed_packages() {
  local files=() folders=() brought=()
  mapfile -t brought < <(sed -n 's/^\([^ ]*\) .* see copyright$/-x\1/p' dist/murmurscope/licences/INDEX)
  mapfile -t files < <(find "$PWD/$1" -type f \( -name '*.so*' -o -perm -100 \) | LC_ALL=C sort)
  mapfile -t folders < <(printf -- '-l%s\n' "${files[@]%/*}" | LC_ALL=C sort -u)
  mkdir -p build/shlibs/debian
  printf 'Source: murmurscope\n\nPackage: murmurscope\nArchitecture: any\n' >build/shlibs/debian/control
  (cd build/shlibs && dpkg-shlibdeps -O --ignore-missing-info --warnings=0 "${brought[@]}" "${folders[@]}" "${files[@]}") \
    | sed -n 's/^shlibs:Depends=//p'
}

# fill FILE: a template with what only the build knows
fill() {
  sed "s/@VERSION@/$version/g; s/@ARCHITECTURE@/$architecture/; s/@SIZE@/${size:-}/; s/@DEPENDS@/$depends/; s/@SUMMARY@/$summary/" "$1"
}

make_deb() {
  local stage=build/deb doc=build/deb/usr/share/doc/murmurscope size
  rm -rf "$stage"
  install -d "$stage/DEBIAN" "$stage/usr/bin" "$stage/usr/lib" "$doc"
  cp -a dist/murmurscope "$stage/usr/lib/"
  ln -s ../lib/murmurscope/murmurscope "$stage/usr/bin/murmurscope"
  cp -a build/share "$stage/usr/"
  mv "$stage/usr/lib/murmurscope/licences" "$doc/"
  install -m644 packaging/linux/copyright -t "$doc"
  gzip -9nc CHANGELOG.md >"$doc/NEWS.gz"
  install -Dm644 packaging/linux/murmurscope-recorder@.service -t "$stage/usr/lib/systemd/user"
  depends=$(needed_packages "$stage")
  size=$(du -sk "$stage/usr" | cut -f1)
  fill packaging/linux/control >"$stage/DEBIAN/control"
  (cd "$stage" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$stage/DEBIAN/md5sums"
  dpkg-deb --root-owner-group -Zxz -b "$stage" "dist/murmurscope_${version}_$architecture.deb"
}

make_tar() {
  local name=murmurscope-$version
  rm -rf build/tar
  mkdir -p "build/tar/$name"
  cp -a dist/murmurscope/. build/share "build/tar/$name/"
  fill packaging/linux/README.txt >"build/tar/$name/README"
  tar -C build/tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" \
    | xz -T0 >"dist/$name-$architecture.tar.xz"
}

[ "${BASH_SOURCE[0]}" = "$0" ] || return 0 # a test reads the functions
install_packages "${base_packages[@]}" "${window_packages[@]}" "${virtual_screen_packages[@]}" "${test_packages[@]}" "${build_packages[@]}"
make_venv
cd "$root"
architecture=$(dpkg --print-architecture)
# the same clone makes the same files
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)
export SOURCE_DATE_EPOCH PYTHONHASHSEED=1
build_program
"$python" packaging/smoke.py dist/murmurscope/murmurscope
stage_share
make_deb
make_tar
say "$(du -sm dist/murmurscope | cut -f1) MB unpacked; in MB:"
du -m "dist/murmurscope_${version}_$architecture.deb" "dist/murmurscope-$version-$architecture.tar.xz"
