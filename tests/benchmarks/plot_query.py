"""How long a plot waits for its samples: one series over an hour, a day and a week at 1 Hz, fifty series over a day, in sealed
segments and in the open one, which holds the newest minutes.

    python -m tests.benchmarks.plot_query --days 7 --tries 50

Two workspaces: `week`, 16 agents with 8 metrics at 1 Hz, sealed but for the last quarter of an hour; `hot`, 1,000 agents with 8
metrics at 1 Hz for an hour, the last nine minutes of it in the open segment. Every try asks for other series and another time.
`first` is the first question of a fresh process (its modules are loaded, no file was opened). One JSON line a measurement on
stdout, a table on stderr. `cpu`: of the reader's thread, which a busy machine does not lengthen. `pixels`: reduced to the envelope of 2,000 pixels.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.domain.queries import CancelToken, SeriesRequest, SeriesResult
from models.storage import catalogue
from models.storage.history.reader import HistoryReader
from models.storage.sealing.seal import seal
from models.storage.segments import schema as segment
from models.storage.workspace import Workspace
from tests.benchmarks.measure import Figures, machine, quantile, summarise, tell
from tests.benchmarks.sampled import FLEET, SECOND_US, Fleet, fill, names_of, stretch
from tests.helpers.clock import FIRST_WALL_US, FakeClock
from tests.helpers.history_builder import HistoryBuilder
from tests.helpers.recorder_process import REPOSITORY

KEYS = ("first_ms", "p50_ms", "p99_ms", "cpu_p50_ms", "points")
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
FIRSTS = 5


class Question(NamedTuple):
    series: int
    span_us: int
    max_points: int = 1_000_000
    newest: bool = True


WEEK = {
    "one series, 1 h": Question(1, HOUR_US), "one series, 1 h of long ago": Question(1, HOUR_US, newest=False),
    "one series, 24 h": Question(1, DAY_US), "one series, 7 d": Question(1, 7 * DAY_US),
    "one series, 7 d, 2,000 pixels": Question(1, 7 * DAY_US, 4_000), "50 series, 24 h": Question(50, DAY_US),
    "50 series, 24 h, 2,000 pixels": Question(50, DAY_US, 4_000),
}  # fmt: skip
HOT = {
    "one series, 1 min": Question(1, 60 * SECOND_US), "one series, 9 min": Question(1, 540 * SECOND_US),
    "one series, 1 h": Question(1, HOUR_US), "8 series, 1 h": Question(8, HOUR_US),
}  # fmt: skip


def build(folder: Path, fleet: Fleet, segments: Sequence[int], open_turns: int) -> tuple[Workspace, int]:
    """A workspace with sealed segments of so many turns, and an open one. Answers also when it ends."""
    workspace = Workspace.at(folder)
    builder = HistoryBuilder(workspace)
    builder.names, series = names_of(fleet)
    for id_ in range(1, len(builder.names.agents)):
        builder.know("agent", id_)
    for id_ in series.ravel().tolist():
        builder.know("series", id_)
    random, at_us = np.random.default_rng(1), FIRST_WALL_US
    for turns in (*segments, open_turns):
        sealed = turns is not open_turns
        made = stretch(fleet, random, at_us, turns)
        one = builder.segment()
        fill(one.database.connection(), made, builder.names, series, SECOND_US if sealed else 50_000)
        ((last,),) = one.database.connection().execute("SELECT max(id) FROM batch").fetchall()
        figures = {"first_us": int(made.received_us[0]), "last_us": int(made.received_us[-1]), "taken_batch": last,
                   "messages": len(made.agent), "samples": made.value.size}  # fmt: skip
        if sealed:
            one.close()
            seal(workspace.segment(one.id), workspace.sealing(one.id))
            workspace.sealing(one.id).replace(workspace.segment(one.id))
            figures["layout"] = segment.SEALED_LAYOUT
        with builder.database.bind_ctx([catalogue.Segment]):
            catalogue.Segment.update(**figures).where(catalogue.Segment.id == one.id).execute()
        at_us += turns * fleet.period_us
    builder.close()
    return workspace, at_us


def requests(question: Question, fleet: Fleet, end_us: int, tries: int) -> list[SeriesRequest]:
    """As many different ones."""
    random = np.random.default_rng(2)
    count = fleet.agents * len(fleet.kinds)
    found = []
    for place in range(tries):
        until = end_us - place * 1_000_003
        if not question.newest:
            until -= int(random.integers(DAY_US, 5 * DAY_US))
        series = random.choice(count, question.series, replace=False) + 1
        found.append(
            SeriesRequest(tuple(sorted(series.tolist())), until - question.span_us, until, question.max_points)
        )
    return found


def measure(
    workspace: Workspace, fleet: Fleet, end_us: int, questions: dict[str, Question], tries: int
) -> list[tuple[str, Figures]]:
    found: list[tuple[str, Figures]] = []
    reader = HistoryReader(workspace, FakeClock(end_us))
    for name, question in questions.items():
        taken_s, used_s, points = [], [], 0
        asked = requests(question, fleet, end_us, tries)
        list(reader.answer(asked[0], CancelToken()))
        for request in asked:
            began_s, began_cpu_s = time.perf_counter(), time.thread_time()
            *_, result = reader.answer(request, CancelToken())
            taken_s.append(time.perf_counter() - began_s)
            used_s.append(time.thread_time() - began_cpu_s)
            assert isinstance(result, SeriesResult)
            points = sum(len(one.value) for one in result.columns)
        figures: Figures = {
            "points": points, "n": tries, "p50_ms": _ms(quantile(taken_s, 0.5)), "p99_ms": _ms(quantile(taken_s, 0.99)),
            "cpu_p50_ms": _ms(quantile(used_s, 0.5)),
        }  # fmt: skip
        firsts = [_first(workspace, request, end_us) for request in asked[:FIRSTS]]
        found.append((name, {**figures, "first_ms": _ms(quantile(firsts, 0.5))}))
    reader.close()
    return found


def _first(workspace: Workspace, request: SeriesRequest, end_us: int) -> float:
    told = json.dumps((request.series, request.since_us, request.until_us, request.max_points))
    command = [sys.executable, "-m", "tests.benchmarks.plot_query", "--ask", str(workspace.root), str(end_us), told]
    return float(subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE).stdout)


def ask(folder: Path, end_us: int, told: str) -> None:
    """The first question of this process."""
    series, *rest = json.loads(told)
    reader = HistoryReader(Workspace.at(folder), FakeClock(end_us))
    began_s = time.perf_counter()
    list(reader.answer(SeriesRequest(tuple(series), *rest), CancelToken()))
    print(time.perf_counter() - began_s)
    reader.close()


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=float, default=1.0)
    parser.add_argument("--tries", type=int, default=50)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--only", choices=("week", "hot"))
    parser.add_argument("--keep", type=Path, help="a folder for the workspaces, used again if they are there")
    parser.add_argument("--ask", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        ask(Path(options.ask[0]), int(options.ask[1]), options.ask[2])
        return 0
    tell("plot query", "machine", **machine())
    rows = []
    with tempfile.TemporaryDirectory(prefix="plots-") as temporary:
        folder = options.keep or Path(temporary)
        hours = round(options.days * 24)
        scenarios = {
            "week": (Fleet(16, FLEET), [36_000] * (hours // 10) + [hours % 10 * 3_600 or 3_600], 900, WEEK),
            "hot": (Fleet(1_000, FLEET), [610] * 5, 540, HOT),
        }
        for name, (fleet, turns, open_turns, questions) in scenarios.items():
            if options.only not in (None, name):
                continue
            began_s = time.perf_counter()
            if (folder / name).exists():
                workspace, end_us = Workspace.at(folder / name), FIRST_WALL_US + (sum(turns) + open_turns) * SECOND_US
            else:
                workspace, end_us = build(folder / name, fleet, turns, open_turns)
            size = sum(path.stat().st_size for path in workspace.segments.iterdir())
            tell(
                "plot query",
                f"{name}: built",
                seconds=round(time.perf_counter() - began_s, 1),
                mib=round(size / 2**20, 1),
            )
            for run in range(options.runs):
                for what, found in measure(workspace, fleet, end_us, questions, options.tries):
                    rows.append(tell("plot query", f"{name}: {what}", run=run, **found))
    summarise("plot query", rows, KEYS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
