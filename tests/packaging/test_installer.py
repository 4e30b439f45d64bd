"""What the installer is made of, checked without building it; and, with --long, the installer itself."""

import configparser
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest

from app.cli.parser import COMMANDS, WINDOW_COMMANDS, parse
from app.version import VERSION
from app.window.application import DESKTOP_ID
from tests.helpers.needs import program

ROOT = Path(__file__).resolve().parents[2]
LINUX = ROOT / "packaging" / "linux"
UNIT = LINUX / "murmurscope-recorder@.service"
MOST_UNPACKED_MB, MOST_PACKED_MB = 220, 60


def ini(path: Path) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(interpolation=None, strict=False)
    parsed.optionxform = str  # keys keep their capitals
    parsed.read(path, encoding="utf-8")
    return parsed


def run(*command: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def licences() -> ModuleType:
    spec = importlib.util.spec_from_file_location("licences", ROOT / "packaging" / "licences.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("script", sorted((ROOT / "packaging").glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_bash(script: Path) -> None:
    run("bash", "-n", str(script))


def test_the_menu_entry_is_valid_and_starts_what_there_is() -> None:
    path = LINUX / f"{DESKTOP_ID}.desktop"
    assert run(program("desktop-file-validate"), str(path)) == ""
    entry = ini(path)
    assert entry["Desktop Entry"]["Icon"] == DESKTOP_ID
    started = [shlex.split(entry[section]["Exec"]) for section in entry.sections()]
    assert len(started) > 1
    for command, *arguments in started:
        assert command == "murmurscope"
        parse(arguments)


def test_the_description_for_software_centres_is_valid_and_means_the_menu_entry(tmp_path: Path) -> None:
    template = (LINUX / f"{DESKTOP_ID}.metainfo.xml").read_text(encoding="utf-8")
    filled = tmp_path / f"{DESKTOP_ID}.metainfo.xml"
    filled.write_text(template.replace("@VERSION@", VERSION).replace("@DATE@", "2026-01-31"), encoding="utf-8")
    command = [program("appstreamcli"), "validate", "--no-net", str(filled)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    # there is no homepage to name, which newer versions warn of
    assert [line for line in told if line.startswith(("E:", "W:")) and "url-homepage-missing" not in line] == []
    assert any(line.startswith(("✔", "✘")) for line in told), told
    component = ET.parse(filled).getroot()
    assert component.findtext("id") == DESKTOP_ID
    assert component.findtext("launchable") == f"{DESKTOP_ID}.desktop"
    assert component.findtext("summary") == ini(LINUX / f"{DESKTOP_ID}.desktop")["Desktop Entry"]["Comment"]


def test_the_service_records_the_workspace_that_it_is_named_by() -> None:
    command, *arguments = shlex.split(ini(UNIT)["Service"]["ExecStart"])
    assert command == "/usr/bin/murmurscope"
    args = parse(["/home/ada/my fleet" if argument == "%f" else argument for argument in arguments])
    assert (args.command, args.workspace) == ("record", "/home/ada/my fleet")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_the_service_is_a_valid_unit(tmp_path: Path) -> None:
    unit = tmp_path / "murmurscope-recorder@home-ada-fleet.service"
    unit.write_text(UNIT.read_text(encoding="utf-8").replace("/usr/bin/murmurscope", "/usr/bin/env"), encoding="utf-8")
    command = ["systemd-analyze", "--user", "--man=no", "verify", str(unit)]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def may_mount() -> bool:
    unshare = shutil.which("unshare")
    return unshare is not None and not subprocess.run([unshare, "--mount", "true"], check=False).returncode


@pytest.mark.skipif(not may_mount(), reason="needs the right to mount")
def test_a_trial_that_is_killed_leaves_nothing_of_this_computer_in_the_other_system(tmp_path: Path) -> None:
    """Whoever removes that folder afterwards would remove this computer's /dev."""
    system = tmp_path / "system"
    (system / "home" / "visitor").mkdir(parents=True)
    chroot = tmp_path / "bin" / "chroot"
    chroot.parent.mkdir()
    chroot.write_text(f"#!/bin/sh\ncp /proc/self/mountinfo {tmp_path}/seen; kill -9 $PPID\n")
    chroot.chmod(0o755)
    path = f"{chroot.parent}:{os.environ['PATH']}"
    command = ["bash", ROOT / "packaging" / "try_installed.sh", system, "no.deb", "no.tar.xz"]
    done = subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert f" {system}/dev " in (tmp_path / "seen").read_text()
    assert str(system) not in Path("/proc/self/mountinfo").read_text()


def test_the_package_has_the_programs_version(tmp_path: Path) -> None:
    fill = (
        "set -u; . packaging/build.sh; architecture=all depends='libc6 (>= 2.36)' size=1; fill packaging/linux/control"
    )
    (tmp_path / "DEBIAN").mkdir()
    (tmp_path / "DEBIAN" / "control").write_text(run("bash", "-c", fill), encoding="utf-8")
    run("dpkg-deb", "-b", str(tmp_path), str(tmp_path / "murmurscope.deb"))
    fields = run("dpkg-deb", "-f", str(tmp_path / "murmurscope.deb"), "Package", "Version", "Depends").splitlines()
    assert fields == ["Package: murmurscope", f"Version: {VERSION}", "Depends: libc6 (>= 2.36), ca-certificates"]


def test_every_package_that_goes_with_the_program_is_pinned_and_has_its_licence(licences, tmp_path: Path) -> None:
    pins = re.findall(r"^([\w.-]+)==", (ROOT / "packaging/constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    pinned = {re.sub(r"[-_.]+", "-", name) for name in pins}
    found = licences.runtime_distributions()
    assert {"paho-mqtt", "pyside6-essentials", "shiboken6", "keyring"} <= set(found) <= pinned
    for name, distribution in found.items():
        assert licences.stated_licence(distribution)
        if name not in licences.QT:
            licences.write_licences(name, distribution, tmp_path / name)
            assert sum(file.stat().st_size for file in (tmp_path / name).rglob("*") if file.is_file()) > 500


def test_what_a_wheel_has_compiled_in_has_its_licence_too(licences, tmp_path: Path, monkeypatch) -> None:
    pcodec = licences.runtime_distributions()["pcodec"]
    licences.write_licences("pcodec", pcodec, tmp_path / "told")
    assert licences.works_without_text(tmp_path / "told") == []
    assert json.loads(next((tmp_path / "told" / "sboms").iterdir()).read_text(encoding="utf-8"))["components"]
    monkeypatch.setattr(licences, "COMPILED_IN", {})
    with pytest.raises(SystemExit, match=r"pcodec has .*numpy 0\.\d+.* compiled in"):
        licences.write_licences("pcodec", pcodec, tmp_path / "untold")


@pytest.mark.parametrize("command", [*COMMANDS, *WINDOW_COMMANDS, ""])
def test_a_checkout_installs_what_a_window_needs_for_windows_alone(command: str) -> None:
    ask = (
        "eval \"$(sed -n '/^first_command() {/,/^}/p; /^needs_window() {/,/^}/p' packaging/dev.sh)\"; "
        "if needs_window --workspace here $0; then echo window; else echo none; fi"
    )
    assert run("bash", "-c", ask, command).strip() == ("none" if command in COMMANDS else "window")


@pytest.mark.long
def test_builds_an_installer_that_starts_and_is_small() -> None:
    """Minutes: the build itself starts the program and looks at its window (packaging/smoke.py)."""
    run("bash", "packaging/build.sh")
    deb, tar = ROOT / "dist" / f"murmurscope_{VERSION}_amd64.deb", ROOT / "dist" / f"murmurscope-{VERSION}-amd64.tar.xz"
    files = run("dpkg-deb", "-c", str(deb))
    for name in (
        "usr/bin/murmurscope -> ../lib/murmurscope/murmurscope",
        f"usr/share/applications/{DESKTOP_ID}.desktop",
        f"usr/share/icons/hicolor/256x256/apps/{DESKTOP_ID}.png",
        "usr/lib/systemd/user/murmurscope-recorder@.service",
        "usr/lib/murmurscope/_internal/mosquitto/mosquitto",
        "usr/share/doc/murmurscope/licences/mosquitto/copyright",
        "usr/share/doc/murmurscope/licences/zstandard/COMPILED-IN",
    ):
        assert f"./{name}\n" in files, f"{name} is missing"
    assert int(run("dpkg-deb", "-f", str(deb), "Installed-Size")) < MOST_UNPACKED_MB * 1024
    assert max(deb.stat().st_size, tar.stat().st_size) < MOST_PACKED_MB * 1024**2
