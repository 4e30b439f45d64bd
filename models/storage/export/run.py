"""Streams a dataset of the outward contract out of a workspace, in constant memory, while a recorder may be writing."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import BinaryIO

import apsw

from models.domain.clock import Clock, SystemClock
from models.domain.queries import Cancelled, CancelToken
from models.storage.export.cells import Kind, Shape
from models.storage.export.messages import read_messages
from models.storage.export.records import read_connections, read_interactions, read_logs
from models.storage.export.samples import read_samples
from models.storage.export.scope import Block, Scope, SeriesName
from models.storage.export.state import agent_lines, annotation_lines, gap_lines, presence_lines, unreadable_lines
from models.storage.export.tasks import task_lines
from models.storage.history.fleet import present
from models.storage.history.store_view import StoreView
from models.storage.keeping.pins import pinned
from models.storage.segments.open_segment import OpenSegment
from models.storage.store_errors import environment_problem
from models.storage.whole_file import whole_file
from models.storage.workspace import Workspace

T, W, S, N, R, F, J = Kind.TEXT, Kind.WORD, Kind.TIME, Kind.NUMBER, Kind.REAL, Kind.FLAG, Kind.JSON

DATASETS: dict[str, tuple[tuple[str, Kind], ...]] = {
    "messages": (
        ("time", S), ("topic", T), ("agent", T), ("kind", W), ("origin", W), ("qos", N), ("retain", F), ("duplicate", F),
        ("size", N), ("payload", T), ("payload_encoding", W), ("content_type", T), ("response_topic", T),
        ("correlation", T), ("user_properties", J),
    ),
    "samples": (
        ("time", S), ("received", S), ("agent", T), ("metric", T), ("unit", T), ("value", R), ("labels", J),
    ),
    "logs": (
        ("time", S), ("received", S), ("agent", T), ("level", W), ("logger", T), ("text", T), ("error", T), ("stack", T),
        ("attributes", J),
    ),
    "presence": (("agent", T), ("presence", W), ("condition", W), ("cause", W), ("since", S), ("until", S)),
    "agents": (
        ("agent", T), ("name", T), ("group", T), ("convention", T), ("presence", W), ("condition", W), ("cause", W),
        ("as_of", S), ("first_seen", S), ("last_seen", S), ("messages", N),
    ),
    "tasks": (
        ("task", T), ("parent", T), ("agent", T), ("requester", T), ("type", T), ("state", W), ("submitted", S),
        ("started", S), ("ended", S), ("attempt", N), ("result", T), ("error", T),
    ),
    "interactions": (
        ("time", S), ("from", T), ("to", T), ("kind", T), ("id", T), ("reply_ms", R), ("outcome", W),
    ),
    "connections": (("time", S), ("agent", T), ("outcome", W), ("error", T), ("duration_ms", R), ("target", T)),
    "gaps": (("since", S), ("until", S), ("agent", T), ("cause", W), ("count", N)),
    "unreadable": (("topic", T), ("count", N), ("last_time", S), ("last_reason", W)),
    "annotations": (("since", S), ("until", S), ("agent", T), ("text", T), ("tags", J)),
}  # fmt: skip
"""Columns of every dataset, in order. Others script against them: add, never rename or reorder."""
FORMATS = ("csv", "jsonl")
STREAMS: dict[str, Callable[[Scope, OpenSegment], Iterator[Block]]] = {
    "messages": read_messages, "samples": read_samples, "logs": read_logs, "interactions": read_interactions,
    "connections": read_connections,
}  # fmt: skip
"""Datasets whose rows are there once stored and never change."""


def _no_progress(_rows: int, _bytes: int) -> None:
    """Nobody watches."""


def _nobody(_segment: int, _reason: str) -> None:
    """Nobody is told; damage stands in the log all the same."""


def export(
    workspace: Workspace,
    dataset: str,
    out: BinaryIO,
    *,
    since_us: int = 0,
    until_us: int = 0,
    agent: str = "",
    format: str = "csv",  # noqa: A002 - as the command line calls it
    progress: Callable[[int, int], None] = _no_progress,
    token: CancelToken | None = None,
    damaged: Callable[[int, str], None] = _nobody,
    clock: Clock | None = None,
    series: Collection[SeriesName] = (),
) -> int:
    """Write the rows that arrived in [since_us, until_us) (0: open) and answer how many there were.

    `series`: of `samples` only these (none: all). `progress` gets the number of rows and of bytes so far, some times a second; `damaged` gets every segment that could not be read whole.
    Raises `Cancelled`, `EnvironmentProblem` workspace.*, store.*, agent.unknown, what `out` raises, and `ValueError` for a
    dataset or format that does not exist.
    """
    if dataset not in DATASETS or format not in FORMATS:
        raise ValueError(f"no dataset {dataset!r} in format {format!r}")
    view = StoreView(workspace)
    try:
        view.refresh()
        shape = Shape(DATASETS[dataset], format == "jsonl")
        scope = Scope(view, shape, since_us, until_us, agent, token or CancelToken(), series)
        size = out.write(shape.header.encode())
        rows = 0
        with pinned(workspace, scope.held):
            for lines in _lines(scope, dataset, clock or SystemClock()):
                if lines:
                    size += out.write("".join(lines).encode("utf-8", "backslashreplace"))
                    rows += len(lines)
                    progress(rows, size)
                scope.token.check()
        for segment, reason in view.damaged.items():
            damaged(segment, reason)
        return rows
    except apsw.InterruptError as error:
        raise Cancelled from error
    except apsw.Error as error:
        raise (environment_problem(error, workspace.catalogue) or error) from error
    finally:
        view.close()


def _lines(scope: Scope, dataset: str, clock: Clock) -> Iterator[list[str]]:
    if dataset in STREAMS:
        return scope.merged(STREAMS[dataset])
    match dataset:
        case "presence":
            return presence_lines(scope)
        case "tasks":
            return task_lines(scope)
        case "agents":
            return agent_lines(scope, present(scope.view, clock.wall_us()).at_us)
        case "gaps":
            return gap_lines(scope)
        case "annotations":
            return annotation_lines(scope)
        case _:
            return unreadable_lines(scope)


def export_file(
    workspace: Workspace,
    dataset: str,
    path: Path,
    *,
    overwrite: bool = False,
    since_us: int = 0,
    until_us: int = 0,
    agent: str = "",
    format: str = "csv",  # noqa: A002 - as the command line calls it
    progress: Callable[[int, int], None] = _no_progress,
    token: CancelToken | None = None,
    damaged: Callable[[int, str], None] = _nobody,
    series: Collection[SeriesName] = (),
) -> int:
    """As `export`, into a file that appears whole or not at all, whatever interrupts it.

    Raises also `EnvironmentProblem` file.exists, file.unusable and file.full.
    """
    with whole_file(path, overwrite=overwrite) as out:
        return export(
            workspace, dataset, out, since_us=since_us, until_us=until_us, agent=agent, format=format,
            progress=progress, token=token, damaged=damaged, series=series,
        )  # fmt: skip
