"""Flow: what the store takes to sum up a million interactions, and what a frame of graph and matrix costs.

    python -m tests.benchmarks.flow [--interactions 1000000] [--frames 40]         on the screen of DISPLAY
    QT_QPA_PLATFORM=offscreen python -m tests.benchmarks.flow

The store: 200 agents in ten groups; all of it for the first time, again, a fiftieth of it as replay asks, by group; beside it a plain
way: every row through SQL into lists by pair, in Python. The graph: 200 agents, 1,000 lines. The matrix: 2,000 agents, 20,000 pairs.
Prints a JSON line each.
"""

import argparse
import gc
import math
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
from PySide6.QtCore import QCoreApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from models.domain.flow_queries import FlowRequest, FlowResult
from models.domain.queries import CancelToken
from models.domain.records import Interaction, Outcome
from models.storage.catalogue import Agent
from models.storage.history.reader import HistoryReader
from models.storage.history.store_view import StoreView
from models.storage.workspace import Workspace
from tests.benchmarks.measure import machine, spread, tell
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.history_builder import HistoryBuilder, raw
from widgets.common.theme import ThemeHolder
from widgets.flow.flow_graph import FlowGraph
from widgets.flow.matrix import Measure, matrix_of
from widgets.flow.matrix_view import SIZES, MatrixView
from widgets.flow.pairs import Pair, pairs_of
from widgets.records.agent_names import AgentNames

STEP_US = 1_000
BATCH, SEGMENT = 10_000, 250_000
PLAIN_SQL = "select from_id, to_id, reply_us, outcome from interaction where received_us >= ? and received_us < ?"
SIZE = (1200, 700)
EXPOSED_MS = 10_000


def main() -> int:
    """Exit code 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactions", type=int, default=1_000_000)
    parser.add_argument("--frames", type=int, default=40)
    args = parser.parse_args()
    app = QApplication(sys.argv[:1])
    tell("flow", "machine", platform=app.platformName(), **machine())
    with tempfile.TemporaryDirectory() as folder:
        workspace = written(Path(folder), args.interactions)
        measure_store(workspace, args.interactions)
    theme = ThemeHolder(app, "light")
    measure_graph(theme, args.frames)
    measure_matrix(theme, args.frames)
    return 0


# ---------------------------------------------------------------- the store


def written(folder: Path, interactions: int, agents: int = 200) -> Workspace:
    """Interactions one after another, a millisecond apart."""
    build = HistoryBuilder(Workspace.at(folder))
    ids = [build.agent(f"agent-{number}") for number in range(agents)]
    with build.database.bind_ctx([Agent]):
        for place, agent in enumerate(ids):
            Agent.update(own_group=f"group-{place % 10}").where(Agent.id == agent).execute()
    chance = np.random.default_rng(7)
    for begin in range(0, interactions, SEGMENT):
        segment = build.segment()
        for first in range(begin, min(begin + SEGMENT, interactions), BATCH):
            n = min(BATCH, interactions - first)
            sender = chance.integers(0, agents, n)
            receiver = (sender + chance.choice([1, 2, 3, 7, 50], n)) % agents
            reply_us = chance.lognormal(10, 1, n).astype(int)
            bad = chance.random(n) < 0.02
            batch = build.messages([raw("talk", b"{}", T0 + (first + place) * STEP_US) for place in range(n)])
            batch.interactions = [
                Interaction(place, T0 + (first + place) * STEP_US - reply, ids[a], ids[b], "ask", "", reply,
                            Outcome.ERROR if failed else Outcome.OK)
                for place, (a, b, reply, failed) in enumerate(
                    zip(sender.tolist(), receiver.tolist(), reply_us.tolist(), bad.tolist(), strict=True)
                )
            ]  # fmt: skip
            segment.write(batch)
        segment.close()
    build.close()
    return build.workspace


def measure_store(workspace: Workspace, interactions: int) -> None:
    reader = HistoryReader(workspace)
    end_us = T0 + interactions * STEP_US
    fiftieth_us = interactions * STEP_US // 50
    for what, request in (
        ("all, first", FlowRequest(T0, end_us)),
        ("all, again", FlowRequest(T0, end_us)),
        ("by group", FlowRequest(T0, end_us, by_group=True)),
        ("a fiftieth", FlowRequest(T0 + 25 * fiftieth_us, T0 + 26 * fiftieth_us)),
    ):
        began_s = time.perf_counter()
        came = [(time.perf_counter() - began_s, found) for found in reader.answer(request, CancelToken())]
        (first_s, _), (took_s, found) = came[0], came[-1]
        assert isinstance(found, FlowResult)
        tell("flow", f"store, {what}", interactions=int(found.count.sum()), pairs=len(found.count),
             first_ms=round(first_s * 1e3, 1), whole_ms=round(took_s * 1e3, 1))  # fmt: skip
    reader.close()
    began_s = time.perf_counter()
    pairs = plain(workspace, T0, end_us)
    took_ms = round((time.perf_counter() - began_s) * 1e3, 1)
    tell("flow", "store, plain way", interactions=interactions, pairs=len(pairs), whole_ms=took_ms)


def plain(workspace: Workspace, since_us: int, until_us: int) -> dict[tuple[int, int], tuple[int, int, float]]:
    """How often, how often failed, and p95, without anything of ours but the file."""
    view = StoreView(workspace)
    view.refresh()
    told: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for row in view.all():
        for sender, receiver, reply_us, outcome in view.attempt(
            row, lambda opened, _: opened.rows(PLAIN_SQL, since_us, until_us), []
        ):
            told.setdefault((sender, receiver), []).append((reply_us, outcome))
    view.close()
    found = {}
    for pair, talk in told.items():
        replies = sorted(reply for reply, _ in talk)
        p95 = replies[math.ceil(0.95 * len(replies)) - 1]
        found[pair] = len(talk), sum(outcome != 0 for _, outcome in talk), p95
    return found


# ---------------------------------------------------------------- frames


def some_flow(agents: int, each: int) -> FlowResult:
    """Everybody asks so many others."""
    chance = np.random.default_rng(5)
    sender = np.repeat(np.arange(1, agents + 1), each)
    receiver = (
        1 + (sender + np.concatenate([chance.choice(agents, each, replace=False) for _ in range(agents)])) % agents
    )
    count = chance.integers(1, 500, len(sender))
    failed = (count * chance.random(len(sender)) ** 8).astype(np.int64)
    reply_us = np.sort(chance.lognormal(11, 1.5, (len(sender), 3)), axis=1)
    return FlowResult(FlowRequest(), sender, receiver, count, count, failed, reply_us, np.full(len(sender), T0))


class Names:
    """As the window knows them."""

    @staticmethod
    def name(agent: int) -> str:
        return f"agent-{agent}"


def some_pairs(agents: int, each: int) -> list[Pair]:
    names = cast("AgentNames", Names())
    return pairs_of(some_flow(agents, each), names, 900_000_000)


def measure_graph(theme: ThemeHolder, frames: int) -> None:
    graph = FlowGraph(theme)
    pairs = some_pairs(200, 5)
    laid_s = timed(lambda: graph.show_pairs(pairs))
    expose(graph)
    for what, choose in (
        ("nothing chosen", lambda: graph.choose(None, None)),
        ("an agent chosen", lambda: graph.choose(7, None)),
    ):
        choose()
        tell("flow", f"graph of 200, {what}", lines=len(pairs), first_layout_ms=round(laid_s * 1e3, 1),
             redraw_ms=spread([timed(lambda: redrawn(graph)) for _ in range(frames)]),
             seen_again_ms=spread([timed(graph.repaint) for _ in range(frames)]))  # fmt: skip
    graph.close()


def redrawn(graph: FlowGraph) -> None:
    """As after an answer that moves nobody."""
    graph.show_pairs(graph.pairs)
    graph.repaint()


def measure_matrix(theme: ThemeHolder, frames: int) -> None:
    view = MatrixView(theme)
    flow, names = some_flow(2_000, 10), cast("AgentNames", Names())
    pairs = pairs_of(flow, names, 900_000_000)
    named = [timed(lambda: pairs_of(flow, names, 900_000_000)) for _ in range(5)]
    tell("flow", "pairs of 2,000 agents from an answer", pairs=len(pairs), ms=spread(named))
    for measure in Measure:
        laid = [timed(lambda one=measure: view.show_matrix(matrix_of(pairs, one, by_name=False))) for _ in range(5)]
        tell("flow", f"matrix of 2,000, laid out by {measure.name.lower()}", pairs=len(pairs), ms=spread(laid))
    expose(view)
    for zoom, (wide, high) in enumerate(SIZES):
        view.set_zoom(zoom)
        down, right = view.verticalScrollBar(), view.horizontalScrollBar()
        drawn = []
        for frame in range(frames):
            down.setValue(frame * down.maximum() // frames)
            right.setValue(frame * right.maximum() // frames)
            drawn.append(timed(view.viewport().repaint))
        tell("flow", f"matrix of 2,000, cells of {wide} × {high}, scrolled", frame_ms=spread(drawn))
    view.close()


def expose(widget: QWidget) -> None:
    widget.resize(*SIZE)
    widget.show()
    assert QTest.qWaitForWindowExposed(widget, EXPOSED_MS)
    QCoreApplication.processEvents()
    gc.collect()


def timed(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


if __name__ == "__main__":
    raise SystemExit(main())
