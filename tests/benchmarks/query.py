"""How long history takes to answer, beside the same questions asked of plain tables with an index (a row a sample).

    python -m tests.benchmarks.query --messages 1000000 --agents 300 --runs 3

`first` is asked of a reader that has opened nothing yet (the files are in the page cache). One JSON line a measurement on
stdout, a table on stderr. The plain table's answer to the fleet leaves out most of what ours holds (hour strip, tasks,
quantiles): it is the least that could be asked.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import apsw
import numpy as np

from models.domain.queries import (
    AgentRequest,
    AgentResult,
    CancelToken,
    EventsRequest,
    EventsResult,
    FleetRequest,
    FleetResult,
    LogRequest,
    MessageRequest,
    Request,
    SeriesRequest,
    SeriesResult,
)
from models.storage.history.reader import HistoryReader
from tests.benchmarks.filled import DAY_US, Filled, fill
from tests.benchmarks.measure import Figures, machine, quantile, summarise, tell

KEYS = ("first_ms", "p50_ms", "p99_ms", "rows")
HOUR_US = 3_600_000_000
FIRSTS = 5

Plain = tuple[str, tuple[object, ...]]


def questions(agent: int, cpu: int, memory: int, now_us: int) -> dict[str, tuple[Request, Sequence[Plain]]]:
    """Ours, and what gives the same rows from the plain tables."""
    hour, day = now_us - HOUR_US, now_us - DAY_US
    columns = "SELECT time, value FROM sample WHERE series = ? AND received >= ? AND received < ? ORDER BY received"
    return {
        "fleet": (FleetRequest(), (
            ("SELECT agent, count(*), max(received) FROM message WHERE received >= ? GROUP BY agent", (hour,)),
            ("""SELECT agent, metric, time / 10000000, avg(value) FROM series JOIN sample ON series = id
                WHERE metric IN ('process.cpu.utilization', 'process.memory.usage') AND received >= ? GROUP BY 1, 2, 3""",
             (now_us - HOUR_US // 6,)),
            ("SELECT agent, count(*) FROM log WHERE received >= ? AND level >= 4 GROUP BY agent", (hour,)),
        )),
        "series 1 h": (SeriesRequest((cpu,), hour, now_us), ((columns, (cpu, hour, now_us)),)),
        "series 24 h": (SeriesRequest((cpu,), day, now_us), ((columns, (cpu, day, now_us)),)),
        "two series 24 h": (
            SeriesRequest((cpu, memory), day, now_us), ((columns, (cpu, day, now_us)), (columns, (memory, day, now_us))),
        ),
        "agent": (AgentRequest(agent), (
            ("SELECT count(*), min(received), max(received) FROM message WHERE agent = ?", (agent,)),
            ("SELECT * FROM series WHERE agent = ?", (agent,)),
        )),
        "newest 100 logs": (LogRequest(agent=agent, limit=100), (
            ("SELECT * FROM log WHERE agent = ? ORDER BY received DESC LIMIT 100", (agent,)),
        )),
        "newest 200 messages": (MessageRequest(agent=agent, limit=200), (
            ("SELECT * FROM message WHERE agent = ? ORDER BY received DESC LIMIT 200", (agent,)),
        )),
        "events 24 h": (EventsRequest(agent, day, now_us), (
            ("SELECT * FROM presence WHERE agent = ? AND time >= ? ORDER BY time", (agent, day)),
        )),
    }  # fmt: skip


def measure(filled: Filled, tries: int) -> list[tuple[str, Figures]]:
    reader = HistoryReader(filled.workspace, filled.clock)
    agent, cpu, memory = _subject(reader)
    plain = _open(filled.plain)
    found: list[tuple[str, Figures]] = []
    for name, (request, statements) in questions(agent, cpu, memory, filled.clock.wall_us()).items():
        ours = _timed(lambda request=request: _rows(list(reader.answer(request, CancelToken()))[-1]), tries)  # type: ignore[misc]
        first = [_first_ours(filled, request) for _ in range(FIRSTS)]
        found.append((f"{name}, ours", {**ours, "first_ms": _ms(quantile(first, 0.5))}))
        theirs = _timed(lambda statements=statements: _ask_plain(plain, statements), tries)  # type: ignore[misc]
        first = [_first_plain(filled, statements) for _ in range(FIRSTS)]
        found.append((f"{name}, plain table", {**theirs, "first_ms": _ms(quantile(first, 0.5))}))
        if name.startswith(("series", "two")):
            assert ours["rows"] == theirs["rows"], f"{name}: {ours['rows']} rows, the plain table has {theirs['rows']}"
    reader.close()
    plain.close()
    return found


def _subject(reader: HistoryReader) -> tuple[int, int, int]:
    """An agent with its CPU and memory series."""
    fleet = list(reader.answer(FleetRequest(), CancelToken()))[-1]
    assert isinstance(fleet, FleetResult)
    agent = int(fleet.agent[len(fleet.agent) // 2])
    result = list(reader.answer(AgentRequest(agent), CancelToken()))[-1]
    assert isinstance(result, AgentResult)
    return agent, result.headline["cpu"], result.headline["memory"]


def _rows(result: object) -> int:
    if isinstance(result, SeriesResult):
        return sum(len(one.value) for one in result.columns)
    if isinstance(result, FleetResult):
        return len(result.agent)
    if isinstance(result, EventsResult):
        return len(result.presence.time_us)
    return len(getattr(result, "rows", ())) or 1


def _open(path: Path) -> apsw.Connection:
    return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)


def _ask_plain(plain: apsw.Connection, statements: Sequence[Plain]) -> int:
    rows = 0
    for sql, bindings in statements:
        answer = plain.execute(sql, bindings).fetchall()
        if sql.startswith("SELECT time, value"):
            np.array(answer, np.float64)  # as a plot needs them
        rows += len(answer)
    return rows


def _first_ours(filled: Filled, request: Request) -> float:
    reader = HistoryReader(filled.workspace, filled.clock)
    began_s = time.perf_counter()
    list(reader.answer(request, CancelToken()))
    taken_s = time.perf_counter() - began_s
    reader.close()
    return taken_s


def _first_plain(filled: Filled, statements: Sequence[Plain]) -> float:
    began_s = time.perf_counter()
    plain = _open(filled.plain)
    _ask_plain(plain, statements)
    taken_s = time.perf_counter() - began_s
    plain.close()
    return taken_s


def _timed(ask: Callable[[], int], tries: int) -> Figures:
    taken_s, rows = [], 0
    for _ in range(tries):
        began_s = time.perf_counter()
        rows = ask()
        taken_s.append(time.perf_counter() - began_s)
    return {"rows": rows, "n": tries, "p50_ms": _ms(quantile(taken_s, 0.5)), "p99_ms": _ms(quantile(taken_s, 0.99))}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tries", type=int, default=50)
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    tell("query", "machine", **machine())
    rows = []
    with tempfile.TemporaryDirectory(prefix="query-") as folder:
        began_s = time.perf_counter()
        filled = fill(Path(folder), options.messages, options.agents, options.seed)
        sizes = {"ours_mib": _mib(filled.workspace.root), "plain_mib": _mib(filled.plain)}
        counts = {"messages": filled.messages, "samples": filled.samples, "logs": filled.logs, "agents": options.agents}
        tell("query", "filled", **counts, seconds=round(time.perf_counter() - began_s, 1), **sizes)
        for run in range(options.runs):
            rows += [tell("query", name, run=run, **found) for name, found in measure(filled, options.tries)]
    summarise("query", rows, KEYS)
    return 0


def _mib(path: Path) -> float:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return round(sum(one.stat().st_size for one in files) / 2**20, 1)


if __name__ == "__main__":
    sys.exit(main())
