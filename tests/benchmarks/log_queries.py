"""Looking for log records as the screen does: `python -m tests.benchmarks.log_queries [--records N] [--folder F]`.

The history of `sealed_logs` (a thousand agents, a week), with attributes. For each query: the first page of 200 rows, twenty times; the
histogram and the fields over the whole week, the first answer and the last; a page that stands at a moment. Beside them, as baseline, the
newest page without any query. Prints JSON lines.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from models.domain.queries import CancelToken, LogRequest, LogSummaryRequest, RowKey
from models.domain.search.parsing import parse
from models.storage.history.log_lists import answer_logs
from models.storage.history.log_summary import answer_log_summary
from models.storage.history.store_view import StoreView
from models.storage.workspace import Workspace
from tests.benchmarks.measure import machine, quantile, tell
from tests.benchmarks.sealed_logs import fill, opened

HOUR_US = 3_600_000_000
ASKED = 20
QUERIES = (
    "",
    "level:error",
    "level>=warn agent:agent-1*",
    "case07q",
    '"connection refused" NOT level:debug',
    "(fetched OR merged) level:error",
    "latency>990",
    "latency>990 agent:agent-77",
    "step:7 level>=warn",
    'text:"connection refused by upstream "*" page "*',
    "NOT logger:http.client NOT agent:agent-1* level:error after:2d",
    "latency>5000",
)
"""The last one finds nothing, so that every record is looked at."""


def attributes(chance: np.random.Generator, n: int) -> tuple[str | None, ...]:
    """Of every other record a time and a step."""
    latency, step, there = chance.integers(1_000, size=n), chance.integers(50, size=n), chance.integers(2, size=n)
    told = zip(latency.tolist(), step.tolist(), there.tolist(), strict=True)
    return tuple(f'{{"latency":{one},"step":{two}}}' if has else None for one, two, has in told)


def timed_ms(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - began_s)


def ask(view: StoreView, text: str, end_us: int) -> None:
    query = parse(text, end_us)
    first = LogRequest(query=query)
    rows = len(next(answer_logs(view, first, CancelToken())).rows)
    pages = [timed_ms(lambda: next(answer_logs(view, first, CancelToken()))) for _ in range(ASKED)]
    moments = [
        LogRequest(query=query, after=RowKey(end_us - n * HOUR_US, 0, 0), oldest_first=True)
        for n in range(1, ASKED + 1)
    ]
    stands = [timed_ms(lambda one=one: next(answer_logs(view, one, CancelToken()))) for one in moments]
    until_us = -(-end_us // HOUR_US) * HOUR_US
    week = LogSummaryRequest(query, until_us - 168 * HOUR_US, until_us, 2 * HOUR_US)
    began_s, told = time.perf_counter(), list[float]()
    for found in answer_log_summary(view, week, CancelToken()):
        told.append(1e3 * (time.perf_counter() - began_s))
        counted = int(found.counts.sum())
    tell(
        "log_queries", text or "newest, no query", rows=rows, page_p50_ms=round(quantile(pages, 0.5), 2),
        page_worst_ms=round(max(pages), 2), at_moment_p50_ms=round(quantile(stands, 0.5), 2),
        at_moment_worst_ms=round(max(stands), 2), summary_first_ms=round(told[0], 1), summary_last_ms=round(told[-1], 1),
        counted=counted,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--agents", type=int, default=1_000)
    parser.add_argument("--fill-seconds", type=float, default=900)
    parser.add_argument("--folder", type=Path, help="keep the workspace here, or ask what was kept")
    args = parser.parse_args()
    tell("log_queries", "machine", **machine())
    with tempfile.TemporaryDirectory() as folder:
        root = args.folder or Path(folder) / "workspace"
        if not root.exists():
            fill(Workspace.at(root), args.records, args.agents, args.fill_seconds, attributes)
        for view, end_us in opened(root):
            for text in QUERIES:
                ask(view, text, end_us)


if __name__ == "__main__":
    main()
