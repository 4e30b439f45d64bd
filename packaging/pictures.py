"""Makes the pictures of the guide: the real window on a real broker, with an hour of history behind it.

    python packaging/pictures.py [--only first-run,fleet,agent,explore,logs,messages,tasks,flow,data,why,refused,teach] [--out resources/guide]

The hour before now, and a few minutes of each of the six days before, are read and stored through the recorder's own code
with a clock that is stepped; from now on a recorder and a simulated fleet run for real. Three of the 300 agents are ill: one
died seven minutes ago, one is degraded, one falls silent. Needs Xvfb and openbox; takes about six minutes.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from workshop import Workshop

from app.simulation.fleet import SimulatedFleet
from models.domain.clock import Instant
from models.domain.connection import parse_url
from models.domain.messages import Origin, RawMessage
from models.domain.presence import PresenceKeeper
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from mqtt.reading.reader import Reader
from tests.helpers.clock import FakeClock
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.recorder_process import environment
from tests.helpers.x11 import x_environment, x_server

AGENTS, RATE = 300, 60
HOUR_S = 3_600
DEAD, SILENT, ILL = "crawler-7", "scout-12", "summariser-37"
DIED_BEFORE_S = 420
SIZE = (1_440, 900)
_TO_A_FIELD = [
    *(["key", key] for key in ("ctrl+5", "ctrl+f")),
    ["type", "crawler-5/metrics"],
    *(["key", key] for key in ("Return", "ctrl+f", "ctrl+a", "BackSpace", "Return", "Return")),
    ["mousemove", "560", "754"],
    ["click", "1"],
    ["key", "ctrl+l"],
]
"""Keys and a click to a message of one agent's figures and to the plot of one of them."""
_TO_A_WARNING = [
    *(["key", key] for key in ("ctrl+4", "ctrl+f")),
    ["type", "agent:summariser-* NOT level:debug attempt>0"],
    ["key", "Return"],
    ["mousemove", "700", "360"],
    ["click", "1"],
]
"""Keys and a click to a record among those that a query of several conditions finds."""
_TO_THE_ILL = [["key", "ctrl+f"], ["type", ILL], ["key", "Return"], ["key", "ctrl+Return"]]
"""Keys to the screen of the agent that is degraded."""
_TO_PANELS = [
    *(["key", key] for key in ("ctrl+3", "ctrl+f")),
    ["type", "crawler-1 crawler cpu"],
    *(["key", key] for key in ("Return", "shift+Down", "shift+Down", "shift+Down", "shift+Down", "Return")),
    *(["key", key] for key in ("ctrl+f", "ctrl+a")),
    ["type", "summariser-37 duration"],
    *(["key", key] for key in ("Return", "shift+Return", "ctrl+shift+o")),
]
"""Keys to figures of several agents in one panel, and another one below with its statistics."""
_TO_A_LESSON = [
    *(["key", key] for key in ("ctrl+5", "ctrl+f")),
    ["type", "mixer-1/out"],
    *(["key", key] for key in ("Return", "ctrl+f", "ctrl+a", "BackSpace", "Return", "Return")),
    ["key", "ctrl+shift+e"],
    ["type", "temperature"],
    ["key", "Tab"],
    ["type", "°C"],
]
"""Keys to a number of a home-made message, and what somebody writes who teaches what it is."""
_SCREENS: dict[str, tuple[list[list[str]], float]] = {
    "fleet": ([], 70),
    "agent": (_TO_THE_ILL, 25),
    "explore": (_TO_PANELS, 25),
    "logs": (_TO_A_WARNING, 25),
    "messages": (_TO_A_FIELD, 25),
    "data": ([["key", "ctrl+8"]], 25),
    "why": ([*_TO_THE_ILL, ["key", "shift+F1"]], 25),
}
"""What to do in the window for each, and after how many seconds."""
_WORK: dict[str, list[list[str]]] = {
    "tasks": [["key", "ctrl+6"], ["mousemove", "560", "250"], ["click", "1"]],
    "flow": [["key", "ctrl+7"]],
}
_WORK_S = 100
"""Tasks are given for so long before the picture."""
_ALONE = ["unshare", "--pid", "--fork", "--mount-proc", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
"""What runs in it is the first process of a world of its own: what else this computer does is nobody's business."""
_GRAB = """
import sys
from PySide6.QtWidgets import QApplication
app = QApplication([])
app.primaryScreen().grabWindow(0).save(sys.argv[1], "PNG", 0)  # as small as PNG makes it
"""


def fleet_with_one_ill() -> SimulatedFleet:
    """The first seed that makes exactly this agent ill."""
    return next(f for f in (SimulatedFleet(AGENTS, seed) for seed in itertools.count(1)) if list(f.ill) == [ILL])


def say(fleet: SimulatedFleet, count: int, now_s: float, absent: set[str], *, statuses: bool) -> list[Outgoing]:
    """What the fleet says next, without what is from, or for, those who are absent."""
    messages = fleet.next(count, now_s) + (fleet.statuses(now_s) if statuses else [])
    return [m for m in messages if not absent.intersection(m.topic.decode().split("/"))]


def will(agent: str) -> Outgoing:
    """What the broker says of an agent that died."""
    return Outgoing(f"agents/{agent}/status".encode(), b'{"state":"offline"}', retain=True)


def fill_days(folder: Path, fleet: SimulatedFleet) -> None:
    """Store what a recorder would that ran for some minutes on each of the days before, for the screen of what is held."""
    for days_ago in range(6, 0, -1):
        record(folder, fleet, time.time() - days_ago * 86_400, seconds=60 * (2 + days_ago % 4), dies=False)


def fill_hour(folder: Path, fleet: SimulatedFleet) -> None:
    """Store the hour before now, in which an agent dies, and what passes meanwhile: a gap would be all that one sees."""
    record(folder, fleet, time.time() - HOUR_S, seconds=None, dies=True)


def record(folder: Path, fleet: SimulatedFleet, since_s: float, *, seconds: int | None, dies: bool) -> None:
    """Store this time (None: until now) through reader, presence and writer, one commit a second."""
    clock = FakeClock(wall_us=round(since_s * 1e6))
    writer = StoreWriter(Workspace.at(folder), clock)
    keeper, reader = PresenceKeeper(), Reader(writer.names, "agents", clock)
    writer.begin_capture("mqtt://127.0.0.1", "pictures")
    keeper.link_up(Instant.now(clock))
    for second in itertools.count():
        now_s = clock.wall_us() / 1e6
        if now_s >= time.time() - 1 if seconds is None else second == seconds:
            break
        dead = dies and second >= HOUR_S - DIED_BEFORE_S
        absent = {DEAD} if dead else set()
        said = say(fleet, RATE, now_s, absent, statuses=second % 30 == 0)
        said += [will(DEAD)] if dead and second == HOUR_S - DIED_BEFORE_S else []
        raw = [RawMessage(m.topic, m.payload, 1, False, False, 0, None, clock.wall_us(), Origin.LIVE, 1) for m in said]
        batch = reader.read(raw)
        batch.presence = keeper.observe(batch, Instant.now(clock)) + keeper.tick(Instant.now(clock))
        writer.commit(batch)
        writer.housekeep()
        clock.advance(1_000_000)
    writer.close()


def fill_plant(folder: Path) -> None:
    """Store ten minutes of three machines that publish as somebody made it up."""
    clock = FakeClock(wall_us=round((time.time() - 600) * 1e6))
    writer = StoreWriter(Workspace.at(folder), clock)
    reader = Reader(writer.names, "agents", clock)
    writer.begin_capture("mqtt://127.0.0.1", "pictures")
    for turn in range(120):
        clock.advance(5_000_000)
        said = [
            {
                "v": {"t": 60 + (turn * 7 + n * 3) % 90 / 10, "rpm": 900 + turn * 13 % 200},
                "st": "run",
                "batch": turn // 9,
            }
            for n in range(3)
        ]
        topics = [f"plant/mixer-{n + 1}/out".encode() for n in range(3)]
        writer.commit(reader.read([
            RawMessage(topic, json.dumps(one).encode(), 1, False, False, 0, None, clock.wall_us(), Origin.LIVE, 1)
            for topic, one in zip(topics, said, strict=True)
        ]))  # fmt: skip
        writer.housekeep()
    writer.close()


class LiveFleet(threading.Thread):
    """Goes on speaking over a real broker until stopped; `absent` may be changed meanwhile."""

    def __init__(self, url: str, fleet: SimulatedFleet) -> None:
        super().__init__(name="fleet")
        self.absent = {DEAD}
        self._publisher = BulkPublisher(parse_url(url)[0], None, "pictures")
        self._fleet = fleet
        self.stopped = threading.Event()

    def run(self) -> None:
        self._publisher.send([will(DEAD)], 1)
        turn = 0
        while not self.stopped.wait(0.2):
            said = say(self._fleet, RATE // 5 * 5, time.time(), self.absent, statuses=turn % 150 == 0)
            self._publisher.send(said, 1)
            self._publisher.poll()
            turn += 1
        self._publisher.close()


def take(
    out: Path, workspace: Path, env: dict[str, str], steps: list[list[str]], wait_s: float, *, theme: str = "light",
    other: Path | None = None, alone: bool = False,
) -> None:  # fmt: skip
    """Start the window, make it fill the screen, do `steps` (of xdotool) in it, save the screen; as `other` once more in the
    other theme. `alone`: it sees no processes but those that it started, with their true figures."""
    state = Path(env["HOME"]) / ".local" / "state" / "murmurscope"
    state.mkdir(parents=True, exist_ok=True)
    (state / "window.json").write_text(json.dumps({"theme": theme}), encoding="utf-8")
    program = [sys.executable, "-m", "app", "--workspace", str(workspace), "--record-here"]
    window = subprocess.Popen([*(_ALONE if alone else []), *program], env=env, cwd=ROOT)
    pause = threading.Event()
    pause.wait(wait_s)
    for step in [["key", "F11"], *steps]:
        subprocess.run(["xdotool", *step], env=env, check=True)
        pause.wait(1.5)
    pause.wait(4)
    subprocess.run([sys.executable, "-c", _GRAB, str(out)], env=env, check=True)
    if other is not None:
        subprocess.run(["xdotool", "key", "ctrl+shift+l"], env=env, check=True)
        pause.wait(4)
        subprocess.run([sys.executable, "-c", _GRAB, str(other)], env=env, check=True)
    for one in psutil.Process(window.pid).children() if alone else [window]:  # who makes it alone only waits for it
        one.terminate()
    window.wait(30)


def main() -> int:
    """Exit code 0; the pictures lie in the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", default="first-run,fleet,agent,explore,logs,messages,tasks,flow,data,why,refused,teach"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "resources" / "guide")
    args = parser.parse_args()
    wanted = set(args.only.split(","))
    with tempfile.TemporaryDirectory(prefix="pictures-") as name, x_server(*SIZE) as display:
        folder = Path(name)
        env = {**environment(folder / "w"), **x_environment(display), "HOME": name}
        if "first-run" in wanted:  # its minute of history is waited for once
            light, dark = (args.out / f"first-run-{theme}.png" for theme in ("light", "dark"))
            take(light, folder / "first", env, [], 60, other=dark, alone=True)
        if "refused" in wanted:
            for theme in ("light", "dark"):
                _refused(folder, args.out / f"refused-{theme}.png", env, theme)
        if "teach" in wanted:
            _teach(folder, args.out, env)
        if wanted & set(_WORK):
            _work(folder, args.out, env, wanted)
        if wanted & set(_SCREENS):
            _screens(folder, args.out, env, wanted)
    return 0


def _refused(folder: Path, out: Path, env: dict[str, str], theme: str) -> None:
    with Mosquitto(folder / f"guarded-{theme}", allow_anonymous=False, username="ada", password="right") as broker:
        workspace = folder / f"refused-{theme}"
        workspace.mkdir()
        settings = f'[connection]\nurl = "mqtt://ada@127.0.0.1:{broker.port}"\n'
        (workspace / "settings.toml").write_text(settings, encoding="utf-8")
        take(out, workspace, env, [["key", "ctrl+b"], ["sleep", "2"], ["key", "alt+t"]], 6, theme=theme)


def _teach(folder: Path, out: Path, env: dict[str, str]) -> None:
    workspace = folder / "plant"
    fill_plant(workspace)
    with Mosquitto(folder / "plant-broker") as broker:
        (workspace / "settings.toml").write_text(f'[connection]\nurl = "{broker.url}"\n', encoding="utf-8")
        for theme in ("light", "dark"):
            take(out / f"teach-{theme}.png", workspace, env, _TO_A_LESSON, 12, theme=theme)


def _work(folder: Path, out: Path, env: dict[str, str], wanted: set[str]) -> None:
    os.environ["XDG_RUNTIME_DIR"] = env["XDG_RUNTIME_DIR"]  # where the recorder listens for whoever gives tasks
    workspace = folder / "work"
    workspace.mkdir()
    with Mosquitto(folder / "work-broker") as broker:
        (workspace / "settings.toml").write_text(f'[connection]\nurl = "{broker.url}"\n', encoding="utf-8")
        workshop = Workshop(broker.url)
        workshop.start()
        try:
            for screen, steps in _WORK.items():
                if screen in wanted:
                    light, dark = (out / f"{screen}-{theme}.png" for theme in ("light", "dark"))
                    giving = threading.Thread(target=workshop.give, args=(workspace, _WORK_S - 10))
                    giving.start()
                    take(light, workspace, env, steps, _WORK_S, other=dark)
                    giving.join()
        finally:
            workshop.close()


def _screens(folder: Path, out: Path, env: dict[str, str], wanted: set[str]) -> None:
    fleet = fleet_with_one_ill()
    workspace = folder / "fleet"
    if "data" in wanted:
        fill_days(workspace, fleet)
    fill_hour(workspace, fleet)
    with Mosquitto(folder / "broker", max_queued_messages=1_000_000) as broker:
        (workspace / "settings.toml").write_text(f'[connection]\nurl = "{broker.url}"\n', encoding="utf-8")
        live = LiveFleet(broker.url, fleet)
        live.start()
        try:
            for screen, (steps, wait_s) in _SCREENS.items():
                if screen not in wanted:
                    continue
                if screen == "fleet":
                    threading.Timer(10, live.absent.add, (SILENT,)).start()
                light, dark = (out / f"{screen}-{theme}.png" for theme in ("light", "dark"))
                if screen == "why":  # the keys of the window do not reach it from a dialog
                    take(light, workspace, env, steps, wait_s)
                    take(dark, workspace, env, steps, wait_s, theme="dark")
                else:
                    take(light, workspace, env, steps, wait_s, other=dark)
        finally:
            live.stopped.set()
            live.join()


if __name__ == "__main__":
    sys.exit(main())
