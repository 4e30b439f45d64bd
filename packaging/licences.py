"""Collects the licences of everything that the package contains and we did not write.

    python packaging/licences.py dist/murmurscope OUT

One folder per work in OUT, and an INDEX with name, version and licence. What a wheel has compiled in is listed in the
folder's "sboms", where the wheel lists it. Run by packaging/build.sh.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
COMMON = Path("/usr/share/common-licenses")
_LICENCE_FILE = re.compile(r"\.dist-info/(licenses/|LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)
_LISTED_FILE = re.compile(r"\.dist-info/sboms/")
COMPILED_IN = {  # licences of works that a wheel has compiled in and whose text it does not bring
    "cryptography": ROOT / "packaging" / "linux" / "compiled-in" / "cryptography.txt",
    "pcodec": ROOT / "packaging" / "linux" / "compiled-in" / "pcodec.txt",
    "zstandard": Path("/usr/share/doc/libzstd1/copyright"),  # the library itself, the same as Debian's
}
QT = {"pyside6-essentials", "shiboken6"}  # their wheels carry no licence text


def main(program: Path, out: Path) -> int:
    """Exit code 0; SystemExit names what has no licence."""
    index = []
    for name, found in runtime_distributions().items():
        write_licences(name, found, out / name)
        index.append((name, found.version, stated_licence(found)))
    copy_licences(metadata.distribution("pyinstaller"), out / "pyinstaller")  # its loader starts the program
    index.append(("pyinstaller", metadata.version("pyinstaller"), "GPL-2.0-or-later WITH Bootloader-exception"))
    for package, version in system_packages(program):
        _copy(Path(f"/usr/share/doc/{package}/copyright"), out / package / "copyright")
        index.append((package, version, "see copyright"))
    lines = [f"{name:24} {version:24} {licence}\n" for name, version, licence in sorted(index)]
    (out / "INDEX").write_text("".join(lines), encoding="utf-8")
    return 0


def runtime_distributions() -> dict[str, metadata.Distribution]:
    """What pyproject.toml asks for and what that asks for in turn, by normalized name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [Requirement(text) for text in project["project"]["dependencies"]]
    found: dict[str, metadata.Distribution] = {}
    while wanted:
        one = wanted.pop()
        name = re.sub(r"[-_.]+", "-", one.name).lower()
        if name in found or (one.marker is not None and not one.marker.evaluate({"extra": ""})):
            continue
        found[name] = metadata.distribution(one.name)
        wanted += map(Requirement, found[name].requires or ())
    return dict(sorted(found.items()))


def write_licences(name: str, distribution: metadata.Distribution, folder: Path) -> None:
    """Everything that goes with one of `runtime_distributions`. SystemExit names what has no licence text."""
    if name in QT:
        _write_qt_notice(folder, distribution.version)
        return
    copy_licences(distribution, folder)
    if name in COMPILED_IN:
        _copy(COMPILED_IN[name], folder / "COMPILED-IN")
    if missing := works_without_text(folder):
        raise SystemExit(f"licences.py: {name} has {', '.join(missing)} compiled in, whose licence text is missing")


def copy_licences(distribution: metadata.Distribution, folder: Path) -> None:
    """Copy the licence texts that an installed package brings. SystemExit where it brings none."""
    files = [file for file in distribution.files or () if _LICENCE_FILE.search(str(file))]
    if not files:
        raise SystemExit(f"licences.py: {distribution.name} brings no licence text")
    for file in (*files, *(file for file in distribution.files or () if _LISTED_FILE.search(str(file)))):
        inside = Path(*file.parts[1:])  # without the folder that names the version
        _copy(
            Path(str(file.locate())),
            folder / (inside.relative_to("licenses") if "licenses" in inside.parts else inside),
        )


def works_without_text(folder: Path) -> list[str]:
    """Works listed as compiled in that may not be used under the Apache License, and that `COMPILED-IN` does not name."""
    told = folder / "COMPILED-IN"
    named = set(re.findall(r"[\w-]+", told.read_text(encoding="utf-8"))) if told.exists() else set()
    missing = []
    for file in sorted(folder.glob("sboms/*.json")):
        for work in json.loads(file.read_text(encoding="utf-8")).get("components", ()):
            licences = json.dumps(work.get("licenses", ()))
            if "Apache-2.0" not in licences and work["name"] not in named:
                missing.append(f"{work['name']} {work.get('version', '')}")
    return missing


def stated_licence(distribution: metadata.Distribution) -> str:
    """In the package's own words, on one line."""
    fields = distribution.metadata
    classifiers = [text.rsplit(" :: ", 1)[1] for text in fields.get_all("Classifier") or () if "License ::" in text]
    stated = fields.get("License-Expression") or fields.get("License") or ", ".join(classifiers)
    return stated.strip().splitlines()[0] if stated.strip() else "see its folder"


def system_packages(program: Path) -> list[tuple[str, str]]:
    """Debian packages, with version, of whose files the program has copies: the interpreter, libraries, the broker."""
    files = [*(program / "_internal").glob("lib*.so*"), *(program / "_internal" / "mosquitto").glob("*")]
    names = {file.name for file in files if not file.is_symlink()}
    patterns = [f"*/{name}" for name in names]
    listed = subprocess.run(["dpkg-query", "-S", *patterns], capture_output=True, text=True, check=False).stdout
    owners = {
        line.split(": ")[0].split(":")[0]
        for line in listed.splitlines()
        if re.match(r"(/usr)?/s?bin/|(/usr)?/lib/[^/]+/lib[^/]+$", line.split(": ")[1]) and "-dev:" not in line
    }
    shown = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *owners], capture_output=True, text=True, check=True
    ).stdout
    return sorted({(name, version) for name, version in map(str.split, shown.splitlines())})


def _write_qt_notice(folder: Path, version: str) -> None:
    for name in ("LGPL-3", "GPL-3"):  # the first refers to the second
        _copy(COMMON / name, folder / name)
    notice = (ROOT / "packaging" / "linux" / "qt-notice.txt").read_text(encoding="utf-8")
    (folder / "NOTICE").write_text(notice.replace("@VERSION@", version), encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise SystemExit(f"licences.py: {source} is missing")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
