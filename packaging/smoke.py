"""Tries the packaged program as a new user would, and fails where it does not do what it should.

    python packaging/smoke.py dist/murmurscope/murmurscope
    python packaging/smoke.py --root /tmp/bookworm /usr/bin/murmurscope     as "visitor" of the Debian in that folder; needs root

A first start in an empty home on a virtual screen: it must start its recorder and broker, store, and draw a live plot.
Then the commands of the terminal: a picture, figures as CSV, and a broker, a recorder and a fleet of their own, whose history
is sealed, backed up and restored, and reads the same each time. Last, traffic of other programs, which is searched, explained,
read again and put into an incident.
"""

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.helpers.poll import until
from tests.helpers.x11 import x_environment, x_server
from widgets.common.tokens import LIGHT

LIMIT_S = 60.0
SEALED_LIMIT_S = 120.0  # a closed segment is left alone for half a minute
WIDTH, HEIGHT = 1280, 800
AN_AGENT = (140, 243)  # in the list of the fleet, below the notice of a first start
CURVE_PIXELS = 150  # the sparklines of the fleet have a third of that in the first minute
SENT = 1_000
RECORDINGS = Path(__file__).resolve().parents[1] / "tests" / "recordings"
RULE = '[[rule]]\ntopic = "plant/{agent}/out"\nmeans = "number"\nmetric = "temperature"\n'
_GRAB = """
import sys
import numpy
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
application = QApplication([])
image = application.primaryScreen().grabWindow(0).toImage().convertToFormat(QImage.Format.Format_RGB32)
image.save(sys.argv[1])
pixels = numpy.frombuffer(image.constBits(), dtype=numpy.uint32) & 0xFFFFFF
print(int((pixels == int(sys.argv[2], 16)).sum()))
"""


@dataclass(frozen=True)
class Installed:
    """The program where it is installed: in this system, or in the one below `root`."""

    program: str  # absolute, as the program sees it
    home: str  # as the program sees it
    display: str
    root: Path | None = None

    def outside(self, path: str) -> Path:
        """A path of the program's as this process sees it."""
        return self.root / path.lstrip("/") if self.root else Path(path)

    def command(self, *arguments: str) -> list[str]:
        """Nothing of this system's environment reaches the program."""
        variables = {
            "HOME": self.home, "XDG_RUNTIME_DIR": self.home, "DISPLAY": self.display, "LANG": "C.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        }  # fmt: skip
        inside = ["chroot", "--userspec=visitor:visitor", str(self.root)] if self.root else []
        return [
            *inside,
            "env",
            "-i",
            *(f"{name}={value}" for name, value in variables.items()),
            self.program,
            *arguments,
        ]

    def run(self, *arguments: str) -> str:
        """What a command prints; AssertionError with its last words where it fails."""
        answer = subprocess.run(self.command(*arguments), capture_output=True, text=True, check=False)
        assert answer.returncode == 0, f"{arguments}: code {answer.returncode}\n{answer.stderr}"
        return answer.stdout

    def rows(self, kind: str, *arguments: str) -> int:
        """How many rows of a kind are stored; 0 before there is a store."""
        command = self.command("info", "--json", *arguments)
        answer = subprocess.run(command, capture_output=True, check=False)
        return int(json.loads(answer.stdout)["kinds"][kind]["rows"]) if answer.returncode == 0 else 0

    def exported(self, *arguments: str) -> dict[str, bytes]:
        """What sealing writes anew, as it is exported."""
        found = {}
        for dataset in ("messages", "samples", "logs"):
            self.run("export", dataset, "-o", f"{self.home}/exported.csv", *arguments)
            found[dataset] = self.outside(f"{self.home}/exported.csv").read_bytes()
        return found

    def processes(self) -> list[psutil.Process]:
        """Those of the program that run, children included."""
        folder = self.outside(self.program).resolve().parent
        return [one for one in psutil.process_iter(["exe"]) if Path(one.info["exe"] or "/").is_relative_to(folder)]


@contextmanager
def running(installed: Installed, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A program in the background, asked to end at the end."""
    process = subprocess.Popen(installed.command(*arguments), stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def first_start(installed: Installed, since_s: float, picture: Path) -> None:
    """The window alone, as from the menu."""
    with running(installed):
        until(lambda: installed.rows("samples") > 50, "samples in the store", LIMIT_S, 0.2)
        print(f"recording after {time.time() - since_s:.1f} s")
        until(
            lambda: _curve_pixels(installed, picture, open_agent=True) > CURVE_PIXELS, "a plot on the screen", LIMIT_S
        )
        print(f"a live plot after {time.time() - since_s:.1f} s")
        recorders = [one for one in installed.processes() if "record" in one.cmdline()]
        assert len(recorders) == 1, recorders
        qt = {Path(one.path).name for one in recorders[0].memory_maps() if "libQt" in one.path}
        assert not qt, f"the recorder has loaded {qt}"
        before = _curve_pixels(installed, picture)
        until(lambda: _curve_pixels(installed, picture) > before, "a plot that grows", LIMIT_S, 1)
    until(lambda: not installed.processes(), "the recorder ended after the window", LIMIT_S, 0.5)


def demo(installed: Installed) -> None:
    """The window with a simulated fleet, which has a workspace of its own."""
    workspace = ("--workspace", f"{installed.home}/.local/share/murmurscope/demo")
    with running(installed, "demo"):
        until(lambda: installed.rows("messages", *workspace) > 100, "messages of the demo's fleet", LIMIT_S, 0.5)
    until(lambda: not installed.processes(), "everything ended after the demo's window", LIMIT_S, 0.5)


def commands(installed: Installed) -> None:
    """What the terminal offers on what the window recorded."""
    agent = installed.run("export", "agents").splitlines()[1].split(",")[0]
    for screen, chosen in (("fleet", ()), ("agent", ("--agent", agent))):
        installed.run("shot", screen, *chosen, "-o", f"{installed.home}/{screen}.png")
        assert installed.outside(f"{installed.home}/{screen}.png").stat().st_size > 5_000, f"shot {screen} is empty"
    installed.run("export", "samples", "-o", f"{installed.home}/samples.csv")
    lines = installed.outside(f"{installed.home}/samples.csv").read_text().splitlines()
    assert len(lines) > 50, "export wrote nothing"
    assert lines[0].startswith("time,received,agent"), lines[0]
    for language in ("python", "node"):
        assert "class Agent" in installed.run("example", language)
    installed.run("verify")


def own_broker(installed: Installed) -> None:
    """Everything on the command line: the broker that came along, a recorder, and a fleet that is counted. What was recorded
    is closed with its recorder; the next one seals it."""
    workspace = ("--workspace", f"{installed.home}/fleet")
    with running(installed, "broker", *workspace) as broker:
        assert broker.stdout is not None
        url = broker.stdout.readline().strip()
        password = ("--password-file", broker.stdout.readline().removeprefix("password in ").strip())
        record = ("record", "--broker", url, *password, *workspace)
        with running(installed, *record) as recorder:
            _await_ready(recorder)
            load = ("--agents", "5", "--rate", "200", "--duration", str(SENT / 200))
            sent = json.loads(installed.run("simulate", "--broker", url, *password, *load).splitlines()[-1])["total"]
            until(lambda: _exported(installed, *workspace) == sent, f"{sent} messages of agents exported", LIMIT_S, 1)
        print(f"recorded and exported {sent} messages of a fleet")
        recorded = ("--to", datetime.now(UTC).isoformat())
        as_recorded = installed.exported(*recorded, *workspace)
        for dataset, table in as_recorded.items():
            assert table.count(b"\n") > 10, f"hardly any {dataset}: {table!r}"
        with running(installed, *record) as recorder:
            _await_ready(recorder)
            until(lambda: _sealed(installed, *workspace)["segments"], "what was recorded is sealed", SEALED_LIMIT_S, 1)
    sealed = _sealed(installed, *workspace)
    assert sealed["failures"] == 0, sealed
    assert installed.exported(*recorded, *workspace) == as_recorded, "what is sealed reads otherwise"
    installed.run("verify", *workspace)
    print(f"sealed it, which saves {sealed['bytes_saved']} bytes; verified; every export is the same")
    backup, restored = f"{installed.home}/fleet.tar.gz", ("--workspace", f"{installed.home}/restored")
    installed.run("backup", backup, *workspace)
    installed.run("restore", backup, *restored)
    assert installed.exported(*restored) == installed.exported(*workspace), "what is restored reads otherwise"
    installed.run("verify", *restored)
    print("backed up and restored; every export is the same")


def other_programs(installed: Installed) -> None:
    """Every recording of the tests, so that each convention is read by the packaged modules; then what is asked of it."""
    workspace = ("--workspace", f"{installed.home}/imported")
    copies = []
    for recording in sorted(RECORDINGS.glob("*.jsonl")):
        copies.append(f"{installed.home}/{recording.name}")
        installed.outside(copies[-1]).write_bytes(recording.read_bytes())
    installed.run("import", *copies, *workspace)
    agents = list(csv.DictReader(io.StringIO(installed.run("export", "agents", *workspace), newline="")))
    conventions = {agent["convention"] for agent in agents if agent["convention"]}
    assert conventions >= {"home-assistant", "sparkplug", "opentelemetry", "a2a", "zigbee2mqtt"}, conventions
    sparkplug = next(agent["agent"] for agent in agents if agent["convention"] == "sparkplug")
    assert "sparkplug" in installed.run("why", sparkplug, *workspace).lower()
    assert installed.run("logs", "level>=warn", *workspace), "no log record was found"
    installed.run("shot", "logs", "--from", "2020-01-01", "-o", f"{installed.home}/logs.png", *workspace)
    assert installed.outside(f"{installed.home}/logs.png").stat().st_size > 5_000, "shot logs is empty"
    installed.run("incident", "--from", "2020-01-01", "-o", f"{installed.home}/incident.zip", *workspace)
    with zipfile.ZipFile(installed.outside(f"{installed.home}/incident.zip")) as incident:
        assert any(name.endswith("index.html") for name in incident.namelist()), incident.namelist()
    installed.outside(f"{installed.home}/rules.toml").write_text(RULE)
    installed.run("rules", "check", f"{installed.home}/rules.toml", *workspace)
    before = installed.exported(*workspace)
    installed.run("reread", *workspace)
    assert installed.exported(*workspace) == before, "what is read again reads otherwise"
    installed.run("verify", *workspace)
    print(f"read {len(copies)} recordings of {len(conventions)} conventions; what is read again is the same")


def _await_ready(recorder: subprocess.Popen[str]) -> None:
    assert recorder.stdout is not None
    assert json.loads(recorder.stdout.readline())["ready"]


def _sealed(installed: Installed, *workspace: str) -> dict[str, int]:
    sealed: dict[str, int] = json.loads(installed.run("info", "--json", *workspace))["sealed"]
    return sealed


def _exported(installed: Installed, *workspace: str) -> int:
    """Messages of agents; the broker's own are stored too."""
    table = csv.DictReader(io.StringIO(installed.run("export", "messages", *workspace), newline=""))
    return sum(row["topic"].startswith("agents/") for row in table)


def _curve_pixels(installed: Installed, picture: Path, *, open_agent: bool = False) -> int:
    environment = {**os.environ, **x_environment(installed.display)}
    if open_agent:
        clicks = ["mousemove", *map(str, AN_AGENT), "click", "--repeat", "2", "--delay", "80", "1"]
        subprocess.run(["xdotool", *clicks], env=environment, check=True)
    grab = [sys.executable, "-c", _GRAB, str(picture), LIGHT.series[0].removeprefix("#")]
    return int(subprocess.run(grab, env=environment, capture_output=True, check=True).stdout)


def main() -> int:
    """Exit code 0 when all went well; AssertionError names what did not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--root", type=Path, help="folder of another Debian, with a user visitor")
    parser.add_argument("--since", type=float, default=time.time(), help="Unix time that seconds are counted from")
    parser.add_argument("--picture", type=Path, help="keep the last picture of the screen here")
    args = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="smoke-"))
        display = stack.enter_context(x_server(WIDTH, HEIGHT))
        program = args.program if args.root else str(Path(args.program).absolute())
        installed = Installed(program, "/home/visitor" if args.root else folder, display, args.root)
        first_start(installed, args.since, args.picture or Path(folder) / "screen.png")
        commands(installed)
        demo(installed)
        own_broker(installed)
        other_programs(installed)
    print("smoke passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
