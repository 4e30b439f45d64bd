"""Searching the log records of sealed segments: `python -m tests.benchmarks.sealed_logs [--records N] [--agents N]`.

A thousand agents speak for a week; a segment holds a million records. The sealed files are written directly, by the code that
seals. Every question is asked fifty times with different words and agents, then once each in a fresh process. Prints JSON lines.
"""

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from models.domain.queries import CancelToken, LogRequest
from models.domain.records import Level
from models.domain.search.terms import Anywhere, Comparison, LevelIs
from models.storage.catalogue import Agent, Capture
from models.storage.catalogue import Segment as SegmentRow
from models.storage.catalogue_file import open_catalogue
from models.storage.engine import open_database
from models.storage.history.log_lists import answer_logs
from models.storage.history.log_minutes import log_minutes
from models.storage.history.store_view import StoreView
from models.storage.sealing.log_fields import LogFieldWriter
from models.storage.sealing.log_index import LogIndexWriter
from models.storage.sealing.row_shapes import LOG, MESSAGE, MESSAGE_TABLES
from models.storage.sealing.row_writing import BlockWriter, write_log_block
from models.storage.segments.schema import SEALED_LAYOUT, create_tables
from models.storage.workspace import Workspace
from tests.benchmarks.measure import machine, quantile, tell
from tests.helpers.clock import FIRST_WALL_US, FakeClock

DAY_US = 86_400_000_000
WEEK_US = 7 * DAY_US
SEGMENT_RECORDS = 1_000_000
ASKED = 50
SILENT = 7
"""This agent spoke on the first day only."""
RARE = 20_000
"""One record in so many tells of a case of its own: one of `ASKED` that come again all week."""
_VERBS = ("fetched", "indexed", "queued", "retried", "cached", "parsed", "merged", "routed", "compressed", "scheduled")
_NOUNS = ("page", "document", "batch", "summary", "quote", "request", "answer", "index", "token", "embedding")
_LEVELS = np.array([Level.DEBUG] * 30 + [Level.INFO] * 62 + [Level.WARN] * 6 + [Level.ERROR] * 2)
_LOGGERS = ("http.client", "worker.pool", "model.gateway", "store")


def case_of(number: int) -> str:
    """A word that a record in a million or so has."""
    return f"case{number % ASKED:02}q"


def texts(chance: np.random.Generator, n: int) -> list[str]:
    """What agents say: common words, numbers and ids that never come again, sometimes a phrase or a rare word."""
    verbs, nouns = chance.integers(10, size=n).tolist(), chance.integers(10, size=n).tolist()
    numbers, ids = chance.integers(100_000, size=n).tolist(), chance.integers(1 << 40, size=n).tolist()
    shapes = chance.integers(RARE, size=n).tolist()
    found = []
    for verb, noun, number, id_, shape in zip(verbs, nouns, numbers, ids, shapes, strict=True):
        text = f"{_VERBS[verb]} {_NOUNS[noun]} {number} for task {id_:010x} in {shape % 997} ms"
        if shape % 200 == 0:
            text = f"connection refused by upstream {number % 60}, {text}"
        if shape == 1:
            text = f"{case_of(id_)} {text}"
        found.append(text)
    return found


Attributes = Callable[[np.random.Generator, int], tuple[str | None, ...]]


def no_attributes(_chance: np.random.Generator, n: int) -> tuple[str | None, ...]:
    return (None,) * n


def write_segment(
    path: Path, id_: int, first_us: int, records: int, agents: int, attributes: Attributes = no_attributes
) -> tuple[int, float]:
    """One sealed file; answers when it ends and how many bytes of text it holds."""
    chance = np.random.default_rng(id_)
    step_us = chance.integers(1, 2 * WEEK_US // (records * 10) + 1, records) if records else np.zeros(0, np.int64)
    received = first_us + np.cumsum(step_us)
    who = chance.integers(1, agents + 1, records)
    who[(who == SILENT) & (received > FIRST_WALL_US + DAY_US)] = SILENT + 1
    level = _LEVELS[chance.integers(len(_LEVELS), size=records)]
    database = open_database(path, create=True)
    create_tables(database)
    target = database.connection()
    for name, value in (("journal_mode", "DELETE"), ("synchronous", "OFF"), ("cache_size", -16 * 1024)):
        target.pragma(name, value)
    target.execute("BEGIN")
    for table in (LOG.table, MESSAGE.table):
        target.execute(f"DROP TABLE {table}")
    for statement in MESSAGE_TABLES.split(";"):
        target.execute(statement)
    BlockWriter(target, MESSAGE).close()
    target.executemany("INSERT INTO agent VALUES (?, ?)", [(one, f"agent-{one}") for one in range(1, agents + 1)])
    writer, takers, size = BlockWriter(target, LOG), (LogIndexWriter(target), LogFieldWriter(target)), 0
    for at in range(0, records, LOG.rows):
        part = slice(at, min(records, at + LOG.rows))
        said = texts(chance, part.stop - part.start)
        size += sum(len(one) for one in said)
        n = len(said)
        ids = tuple(range(at + 1, at + 1 + n))
        columns: list[tuple[Any, ...]] = [
            ids, ids, tuple((received[part] - 900).tolist()), tuple(received[part].tolist()), tuple(who[part].tolist()),
            tuple(level[part].tolist()), tuple(_LOGGERS[one % 4] for one in who[part].tolist()), tuple(said),
            (None,) * n, (None,) * n, attributes(chance, n),
        ]  # fmt: skip
        write_log_block(writer, columns)
        for taker in takers:
            taker.add(columns)
    for one in (writer, *takers):
        one.close()
    last_us = int(received[-1]) if records else first_us
    target.execute(
        "INSERT INTO batch(id, committed_us, first_us, last_us, first_seq, n, n_samples, n_logs, n_tasks, duplicates, dropped,"
        " unreadable) VALUES (1, ?, ?, ?, 1, 0, 0, ?, 0, 0, 0, 0)",
        (last_us, first_us, last_us, records),
    )
    meta = {"segment": id_, "capture": 1, "layout": SEALED_LAYOUT}
    target.executemany("INSERT INTO meta VALUES (?, ?)", [(key, str(value)) for key, value in meta.items()])
    target.execute("COMMIT")
    database.close()
    return last_us, size


def fill(
    workspace: Workspace, records: int, agents: int, limit_s: float, attributes: Attributes = no_attributes
) -> int:
    """As many records as asked for, or as the time allows; answers how many."""
    workspace.segments.mkdir(parents=True)
    database = open_catalogue(workspace, FakeClock())
    began_s, made, id_, at_us, text_bytes = time.monotonic(), 0, 0, FIRST_WALL_US, 0.0
    with database.bind_ctx([SegmentRow, Agent, Capture]):
        Capture.insert(
            id=1, kind="record", started_us=at_us, ended_us=at_us, broker="", client_id="", host="", version=""
        ).execute()
        Agent.insert_many([{"id": one, "name": f"agent-{one}"} for one in range(1, agents + 1)]).execute()
        while made < records and time.monotonic() - began_s < limit_s:
            id_, first_us = id_ + 1, at_us
            n = min(SEGMENT_RECORDS, records - made)
            at_us, size = write_segment(workspace.segment(id_), id_, first_us, n, agents, attributes)
            made, text_bytes = made + n, text_bytes + size
            zeros = dict.fromkeys(
                ("messages", "samples", "tasks", "duplicates", "dropped", "unreadable", "payload_bytes"), 0
            )
            SegmentRow.insert(
                id=id_, capture_id=1, layout=SEALED_LAYOUT, state="closed", first_us=first_us, last_us=at_us, logs=n,
                bytes=workspace.segment(id_).stat().st_size, taken_batch=1, **zeros,
            ).execute()  # fmt: skip
    took_s = time.monotonic() - began_s
    database.close()
    files = [workspace.segment(one + 1) for one in range(id_)]
    tell(
        "sealed_logs", "filled", records=made, seconds=round(took_s, 1), records_per_s=round(made / took_s),
        bytes_per_record=round(sum(file.stat().st_size for file in files) / made, 1),
        text_bytes_per_record=round(text_bytes / made, 1), parts=parts_of(files[0], min(made, SEGMENT_RECORDS)),
        peak_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    )  # fmt: skip
    return made


def parts_of(path: Path, records: int) -> dict[str, float]:
    """Bytes a record of every table of a segment."""
    connection = apsw.Connection(str(path))
    query = "SELECT name, sum(pgsize) FROM dbstat GROUP BY 1 ORDER BY 2 DESC LIMIT 5"
    with contextlib.suppress(apsw.SQLError):
        return {str(name): round(float(str(size)) / records, 2) for name, size in connection.execute(query)}
    return {}


def page(view: StoreView, request: LogRequest) -> int:
    (result,) = answer_logs(view, request, CancelToken())
    return len(result.rows)


def questions(end_us: int) -> dict[str, Callable[[StoreView, int], int]]:
    """By name; each gets the number of the attempt and answers how many rows came."""
    agents = [11 + 17 * n for n in range(ASKED)]
    day_us = end_us - DAY_US

    def minutes(view: StoreView, agent: int) -> int:
        return int(log_minutes(view, agent, end_us - WEEK_US, end_us, CancelToken()).n.sum())

    return {
        "newest 100": lambda view, _: page(view, LogRequest(limit=100)),
        "agent + level + 24 h": lambda view, n: page(
            view,
            LogRequest(agent=agents[n], query=LevelIs(Comparison.AT_LEAST, Level.WARN), since_us=day_us, limit=100),
        ),
        "silent agent + level + 24 h": lambda view, _: page(
            view, LogRequest(agent=SILENT, query=LevelIs(Comparison.AT_LEAST, Level.WARN), since_us=day_us, limit=100)
        ),
        "minutes 7 d": lambda view, _: minutes(view, 0),
        "minutes 7 d of an agent": lambda view, n: minutes(view, agents[n]),
        "rare word": lambda view, n: page(view, LogRequest(query=Anywhere(case_of(n)), limit=100)),
        "common word": lambda view, n: page(view, LogRequest(query=Anywhere(_VERBS[n % 10]), limit=100)),
        "word + agent": lambda view, n: page(
            view, LogRequest(query=Anywhere(_VERBS[n % 10]), agent=agents[n], limit=100)
        ),
        "rare word + agent": lambda view, n: page(
            view, LogRequest(query=Anywhere(case_of(n)), agent=agents[n], limit=100)
        ),
        "phrase": lambda view, _: page(view, LogRequest(query=Anywhere("connection refused"), limit=100)),
        "rare phrase": lambda view, n: page(
            view, LogRequest(query=Anywhere(f"refused by upstream {n}, {_VERBS[n % 10]} page"), limit=100)
        ),
        "prefix": lambda view, n: page(view, LogRequest(query=Anywhere(_VERBS[n % 10][:4]), limit=100)),
        "rare prefix": lambda view, n: page(view, LogRequest(query=Anywhere(case_of(n)[:5]), limit=100)),
        "no such word": lambda view, n: page(view, LogRequest(query=Anywhere(f"nowhere{n}"), limit=100)),
    }


def opened(root: Path) -> Iterator[tuple[StoreView, int]]:
    view = StoreView(Workspace.at(root))
    view.refresh()
    yield view, max(row.last_us for row in view.all()) + 1
    view.close()


def ask_all(root: Path) -> None:
    for view, end_us in opened(root):
        for name, ask in questions(end_us).items():
            ask(view, 0)
            took, used, rows = [], [], 0
            for n in range(ASKED):
                began_s, used_s = time.perf_counter(), time.process_time()
                rows += ask(view, n)
                took.append(time.perf_counter() - began_s)
                used.append(time.process_time() - used_s)
            first = first_call(root, name)
            tell(
                "sealed_logs", name, p50_ms=round(1e3 * quantile(took, 0.5), 2), p99_ms=round(1e3 * quantile(took, 0.99), 2),
                cpu_p50_ms=round(1e3 * quantile(used, 0.5), 2), first_ms=first, rows=round(rows / ASKED),
            )  # fmt: skip


def first_call(root: Path, name: str) -> float:
    """Opening the workspace and asking, in a new process that has loaded the program."""
    argv = [sys.executable, "-m", "tests.benchmarks.sealed_logs", "--first", name, "--folder", str(root)]
    done = subprocess.run(argv, capture_output=True, check=True, text=True)
    return float(json.loads(done.stdout)["ms"])


def tell_first(root: Path, name: str) -> None:
    began_s = time.perf_counter()
    for view, end_us in opened(root):
        questions(end_us)[name](view, 3)
    print(json.dumps({"ms": round(1e3 * (time.perf_counter() - began_s), 1)}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--agents", type=int, default=1_000)
    parser.add_argument("--fill-seconds", type=float, default=120)
    parser.add_argument("--folder", type=Path, help="keep the workspace here, or ask what was kept")
    parser.add_argument("--first", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.first:
        tell_first(args.folder, args.first)
        return
    tell("sealed_logs", "machine", **machine())
    with tempfile.TemporaryDirectory() as folder:
        root = args.folder or Path(folder) / "workspace"
        if not root.exists():
            fill(Workspace.at(root), args.records, args.agents, args.fill_seconds)
        ask_all(root)


if __name__ == "__main__":
    main()
