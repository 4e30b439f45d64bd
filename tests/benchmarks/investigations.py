"""Five investigations of a recorded fleet by keys and clicks in the real window on an X server: is the answer the true one, how many
actions does it take, and how many seconds.

    python -m tests.benchmarks.investigations [--runs 3] [--story FOLDER] [--only latency,offline,pattern,load,request]

The story is of `investigated`: 50 agents, a million messages since the day before yesterday, five incidents. The window, its
recorder and a broker run beside it, live. Answers are read as a screen reader does. Actions are chords of keys, texts typed and
clicks. Seconds are from the first action to the answer on the screen, without pauses to think and without the time that
taking a picture of the screen costs. Making the story takes some minutes; `--story` keeps it for another run.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtGui import QImage

from app.simulation.fleet import SimulatedFleet
from models.domain.connection import parse_url
from models.storage.lock import read_lock
from models.storage.workspace import Workspace
from mqtt.bulk_publisher import BulkPublisher
from tests.benchmarks import investigated
from tests.benchmarks.investigated import (
    AGENTS,
    ASKED,
    ASKER,
    BROKEN,
    BUSY,
    FIRST_GONE,
    LAST_WORDS,
    PATTERN,
    REPLY_S,
    REQUEST,
    SLOW,
    SLOW_LOG,
    Truth,
)  # fmt: skip
from tests.benchmarks.measure import Figures, machine, summarise, tell
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.needs import bound_to_parent
from tests.helpers.person import Person
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY, environment
from tests.helpers.screen_reader import ScreenReader, Seen, accessibility_bus
from tests.helpers.x11 import x_environment, x_server

_SIZE = (1_440, 900)
_LIMIT_S = 60
_DARK = 135
"""So dark (0–255) is a cell of a heat-map that is among the highest."""


def which_latency_rose(person: Person) -> tuple[object, object]:
    """Whose latency rose at 14:03 yesterday, and what did it log then?"""
    person.palette("yesterday 13:50..14:30")
    person.keys("ctrl+3", "ctrl+f")
    person.type("latency")
    _found(person, "Crawler 1")
    person.keys("Down", "F9")
    person.see(lambda: any(one.name == f"{AGENTS} agents" for one in person.reader.all("label")), "it is painted")
    heat = person.reader.find("filler", "agent.request.duration, heat-map of agents")
    x, y = person.see(lambda: person.look(heat, _dark_block), "a dark stretch in the heat-map")
    person.click((heat.left + x, heat.top + y), 3)
    person.keys("l")  # logs of that agent at that moment
    rows = _rows(person, "Log records", lambda rows: len({row[2] for row in rows}) == 1)
    warned = next((row for row in rows if row[1] == "warn"), rows[0])
    return (warned[2], warned[4]), (_name(SLOW), SLOW_LOG)


def who_went_first(person: Person) -> tuple[object, object]:
    """Who went offline first in the night to yesterday, by what cause, and what were its last words?"""
    person.palette("yesterday 2:00..2:30")
    person.keys("ctrl+1", "ctrl+h")
    fleet = person.reader.find("table", "Agents")
    person.see(lambda: person.reader.cell(fleet, 0, 2).name.startswith("offline"), "the fleet is of then")
    person.click(_header(person, fleet, 2))
    person.keys("ctrl+f", "Down")
    first = person.reader.cell(fleet, 0, 0).name
    told = person.see(lambda: _label(person, "offline ("), "how the agent was").split(",")[0]
    person.keys("Return")
    rows = _rows(person, "Log records", bool)
    return (first, told, rows[0][-1]), (_name(FIRST_GONE), "offline (will) since 02:11:07", LAST_WORDS)


def which_pattern_began(person: Person) -> tuple[object, object]:
    """Which error pattern began with the deploy at 16:30 yesterday, and how many agents have it?"""
    person.palette("yesterday 15:30..17:30")
    person.keys("ctrl+4", "ctrl+f")
    person.type("level:error")
    person.keys("Return")
    fields = person.reader.find("tree", "Fields and their values")
    pattern = person.see(lambda: _tree_row(person, fields, "pattern of the text"), "the fields are there")
    person.click((pattern.left - 8, pattern.middle[1]))
    new = person.see(lambda: _tree_row(person, fields, PATTERN.split("{", maxsplit=1)[0]), "its values are there")
    plus = person.reader.cell(fields, _row_of(person, fields, new), 2)
    person.click(plus.middle)
    person.see(lambda: _label(person, f"of {6 * BROKEN} records"), "only that pattern is listed")
    rows = person.reader.rows(fields, 30)
    agent = next(place for place, row in enumerate(rows) if row[0] == "agent")
    named = [row[0] for row in rows[agent + 1 :]]
    named = named[: next((place for place, text in enumerate(named) if "-" not in text), len(named))]
    more = rows[agent + 1 + len(named)][0].split()
    others = int(more[1]) if more[0] == "and" else 0
    return (new.name.split(" envelope")[0], len(named) + others), ("cannot decode", BROKEN)


def is_load_related(person: Person, truth: list[str]) -> tuple[object, object]:
    """Are errors of five planners related to their CPU, yesterday from 9 to 12, and how was it the day before?"""
    person.palette("yesterday 9:00..12:00")
    person.keys("ctrl+3", "ctrl+f", "ctrl+a")
    person.type("planner cpu")
    _found(person, _name(BUSY[0]))
    person.keys("Down", *["shift+Down"] * 8)
    layouts = person.reader.find("push button", "Layouts")
    person.click(layouts.middle)
    person.keys("Down", "Down", "Down", "Down", "Return")  # tasks
    person.reader.find("panel", "Error ratio")
    person.click(person.reader.find("push button", "Add as a panel").middle)
    person.see(
        lambda: any(one.name == "process.cpu.utilization" for one in person.reader.all("panel")), "a panel of the CPU"
    )
    person.keys("ctrl+shift+o")
    for steps in ((), ("F6", "F6")):  # the new panel, then the error ratio
        person.keys(*steps)
        person.palette("Compare with earlier", asks=True)
        person.keys("Return")  # a day
        person.see(lambda: len(person.reader.windows()) == 1, "that is answered")
    ratios = person.see(lambda: _ratios(person), "the error ratios of both days")
    means = person.see(lambda: _means(person), "the mean CPU of both days")
    return _by_day(means, ratios), truth


def was_it_answered(person: Person, folder: Path) -> tuple[object, object]:
    """An agent says that it never got a request: was it sent, was it answered, after how long? Then keep the incident."""
    person.palette("yesterday")
    person.keys("ctrl+5", "ctrl+f", "ctrl+f")
    person.type(REQUEST)
    rows = _rows(person, "Messages", lambda rows: len(rows) == 2)
    (answered, answer, *_), (sent, topic, *_) = rows
    took_s = round(_second(answered) - _second(sent), 3)
    person.palette("yesterday 18:22..18:23")
    person.keys("ctrl+shift+s")
    kept = folder / "incident.zip"
    kept.unlink(missing_ok=True)
    person.see(lambda: len(person.reader.windows()) > 1, "it is asked where to keep it")
    person.keys("ctrl+a")
    person.type(str(kept))
    person.keys("Return")
    person.see(lambda: zipfile.is_zipfile(kept), "the incident is kept")
    with zipfile.ZipFile(kept) as archive:
        holds = {"index.html"} <= set(archive.namelist()) and REQUEST.encode() in archive.read("messages.csv")
    sentence = f"{topic} answered on {answer} after {took_s:g} s, kept: {holds}"
    return (
        sentence,
        f"agents/{ASKED}/inbox/{ASKER} answered on agents/{ASKER}/inbox/{ASKED} after {REPLY_S:g} s, kept: True",
    )


# ------------------------------------------------------------ reading the window


def _name(id_: str) -> str:
    """As agents call themselves."""
    return id_.replace("-", " ").title()


def _rows(person: Person, name: str, ready: Callable[[list[list[str]]], object]) -> list[list[str]]:
    """The first rows of a list, as soon as they are as expected."""

    def read() -> list[list[str]]:
        found = person.reader.all("table", name)
        rows = person.reader.rows(found[0], 12) if found else []
        return rows if rows and ready(rows) else []

    return person.see(read, f"rows of {name}")


def _found(person: Person, first: str) -> None:
    """Wait until the tree of series begins with this agent."""

    def shown() -> bool:
        trees = person.reader.all("tree", "Agents and series")
        rows = person.reader.rows(trees[0], 1) if trees else []
        return bool(rows) and rows[0][0].startswith(first)

    person.see(shown, f"{first} is found")


def _label(person: Person, begin: str) -> str:
    return next((one.name for one in person.reader.all("label", begin)), "")


def _header(person: Person, table: Seen, column: int) -> tuple[int, int]:
    """The middle of a column's title."""
    cell = person.reader.cell(table, 0, column)
    return cell.middle[0], table.top + 14


def _tree_row(person: Person, tree: Seen, text: str) -> Seen | None:
    place = next((at for at, row in enumerate(person.reader.rows(tree, 40)) if row[0].startswith(text)), -1)
    return person.reader.cell(tree, place, 0) if place >= 0 else None


def _row_of(person: Person, tree: Seen, seen: Seen) -> int:
    return next(at for at, row in enumerate(person.reader.rows(tree, 40)) if row[0] == seen.name)


def _dark_block(image: QImage) -> tuple[int, int] | None:
    """Where the darkest row of a heat-map begins to be dark."""
    most, where = 20, None
    for y in range(0, image.height() - 5, 5):
        lightness = [
            max(image.pixelColor(x, row).lightness() for row in (y, y + 4))  # no line and no letter
            for x in range(image.width() * 4 // 5)
        ]
        dark = [x for x, light in enumerate(lightness) if light < _DARK]
        if len(dark) > most:
            most, where = len(dark), (dark[len(dark) // 4], y + 2)
    return where


def _means(person: Person) -> dict[str, float]:
    """Mean CPU by what each curve is called."""
    for table in person.reader.all("table", "Statistics"):
        rows = {row[0]: float(row[4].split()[0]) / 100 for row in person.reader.rows(table, 20) if row[4].endswith("%")}
        if len(rows) == 2 * len(BUSY):
            return rows
    return {}


def _ratios(person: Person) -> dict[str, tuple[float, int]]:
    """Error ratio and n of each curve, as the legend of its panel tells them."""
    found: dict[str, tuple[float, int]] = {}
    for plot in person.reader.all(name="Error ratio"):
        said = re.findall(r"(Planner \d(?: \(1 d earlier\))?) ([\d.]+) % \(n (\d+)\)", person.reader.said(plot))
        found |= {name: (float(ratio) / 100, int(n)) for name, ratio, n in said}
    return found if len(found) == 2 * len(BUSY) else {}


def _by_day(means: dict[str, float], ratios: dict[str, tuple[float, int]]) -> list[str]:
    """CPU and whether work failed, yesterday and the day before."""
    told = []
    for earlier in (False, True):
        cpu = [mean for name, mean in means.items() if name.endswith("earlier)") == earlier]
        work = [one for name, one in ratios.items() if name.endswith("earlier)") == earlier]
        failed = sum(round(ratio * n) for ratio, n in work) / sum(n for _, n in work)
        told.append(f"CPU {sum(cpu) / len(cpu):.2f}, {'fails often' if failed > 0.2 else 'works'}")
    return told


def _second(text: str) -> float:
    """Of a day."""
    hours, minutes, seconds = text.split(" ")[1].split(":")
    return int(hours) * 3_600 + int(minutes) * 60 + float(seconds)


# ------------------------------------------------------------ running them


def investigate(
    display: str, story: Path, folder: Path, names: Sequence[str], truth: Truth, pictures: Path | None
) -> Iterator[Figures]:
    """One after the other in one window."""
    workspace = folder / "workspace"
    shutil.copytree(story, workspace, ignore=shutil.ignore_patterns("recorder.*", "truth.json"))
    with accessibility_bus(folder, display) as bus, Mosquitto(folder / "broker") as broker:
        (workspace / "settings.toml").write_text(f'[connection]\nurl = "{broker.url}"\n', encoding="utf-8")
        env = {
            **environment(workspace), **x_environment(display), "HOME": str(folder), "TZ": "UTC",
            "AT_SPI_BUS_ADDRESS": bus, "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
        }  # fmt: skip
        command = [sys.executable, "-m", "app", "--workspace", str(workspace), "--record-here"]
        window = subprocess.Popen(bound_to_parent(command), env=env, cwd=REPOSITORY)
        reader = ScreenReader(bus)
        try:
            with speaking(broker.url):
                person = Person(env, reader, folder)
                person.see(lambda: reader.all("table", "Agents"), "the fleet is there")
                person.keys("F11")
                for name in names:
                    person.keys("ctrl+1", "Escape", "Escape")  # from the moment that the one before stood at
                    person.palette("15m")
                    yield one(name, Person(env, reader, folder), folder, truth, pictures)
        finally:
            reader.close()
            window.terminate()
            window.wait(_LIMIT_S)
            until(lambda: not read_lock(Workspace.at(workspace)).held, "the recorder ended", 2 * _LIMIT_S)


def one(name: str, person: Person, folder: Path, truth: Truth, pictures: Path | None) -> Figures:
    began_s = time.monotonic()
    ways: dict[str, Callable[[], tuple[object, object]]] = {
        "latency": lambda: which_latency_rose(person),
        "offline": lambda: who_went_first(person),
        "pattern": lambda: which_pattern_began(person),
        "load": lambda: is_load_related(person, truth.by_day()),
        "request": lambda: was_it_answered(person, folder),
    }
    try:
        found, expected = ways[name]()
        seconds = time.monotonic() - began_s - person.looked_s
    finally:
        if pictures is not None:
            person.keep(pictures / f"{name}.png")
    return tell(
        "investigations", name, answer=found, true=found == expected, expected=expected, actions=person.actions,
        strokes=person.strokes, seconds=round(seconds, 2),
    )  # fmt: skip


@contextmanager
def speaking(url: str) -> Iterator[None]:
    """The fleet goes on over the broker."""
    over = threading.Event()

    def speak() -> None:
        fleet, publisher = SimulatedFleet(AGENTS, 7, illness=0), BulkPublisher(parse_url(url)[0], None, "fleet")
        turn = 0
        while not over.wait(0.4):
            said = fleet.next(1, time.time()) + (fleet.statuses(time.time()) if turn % 75 == 0 else [])
            publisher.send(said, 1)
            publisher.poll()
            turn += 1
        publisher.close()

    thread = threading.Thread(target=speak, name="fleet")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def main() -> int:
    """Exit code 0 where every answer was the true one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="latency,offline,pattern,load,request")
    parser.add_argument("--story", type=Path, help="keep the recorded story here, or take it from here")
    parser.add_argument("--pictures", type=Path, help="keep what the screen shows at the end of each here")
    options = parser.parse_args()
    tell("investigations", "machine", **machine())
    rows: list[Figures] = []
    with tempfile.TemporaryDirectory(prefix="investigations-") as name:
        story = options.story or Path(name) / "story"
        truth = Truth.load(story / "truth.json") if (story / "truth.json").exists() else investigated.record(story)
        truth.save(story / "truth.json")
        for run in range(options.runs):
            folder = Path(name) / f"run-{run}"
            folder.mkdir()
            with x_server(*_SIZE) as display:
                rows += investigate(display, story, folder, options.only.split(","), truth, options.pictures)
            shutil.rmtree(folder)
    summarise("investigations", rows, ("actions", "strokes", "seconds"))
    return 0 if all(row["true"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
