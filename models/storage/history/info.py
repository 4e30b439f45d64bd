"""What a workspace holds, as numbers: for `info`, scripts and bug reports. Works while a recorder runs."""

from collections import Counter
from typing import Any

from models.domain.crowd import MOST_AGENTS, MOST_SERIES, MOST_SERIES_OF_AGENT
from models.domain.queries import CancelToken, StoreKind
from models.storage.catalogue import SCHEMA
from models.storage.export.cells import TimeText
from models.storage.history.holdings import source_column, store_bytes
from models.storage.history.kinds import kinds_held
from models.storage.history.store_view import StoreView
from models.storage.keeping.retention import NO_LIMIT, StoreLimits
from models.storage.sealing.figures import sealed_figures
from models.storage.segments.open_segment import OpenSegment, Row, SegmentRow, fetch
from models.storage.segments.schema import SEALED_LAYOUT
from models.storage.store_errors import problems_of
from models.storage.workspace import Workspace

COUNTERS = ("stored", "duplicates", "unreadable", "dropped", "bytes")
_COLUMNS = "messages, duplicates, unreadable, dropped, payload_bytes"
_SINCE_TAKEN = """select coalesce(sum(n), 0), coalesce(sum(duplicates), 0), coalesce(sum(unreadable), 0),
    coalesce(sum(dropped), 0), min(first_seq) from batch where id > ?"""
_SIZES = {
    "samples": "select coalesce(sum(n_samples), 0), coalesce(sum(length(samples)), 0) from batch",
    "logs": "select count(*), {} from log|text logger error stack attributes",
    "tasks": "select count(*), {} from task_report|task type parent requester result error",
    "interactions": "select count(*), {} from interaction|kind exchange",
    "connections": "select count(*), {} from attempt|error target",
    "presence": "select count(*), {} from presence_change|cause",
    "unreadable": "select count(*), {} from unreadable|reason",
}
_CHUNKS = """select (select coalesce(sum(n_samples), 0) from batch),
    (select coalesce(sum(length(time) + length(delay) + length(place)), 0) from sample_chunk)
    + (select coalesce(sum(length(value) + coalesce(length(step), 0)), 0) from sample_column)"""
"""Rows and bytes of each kind: `|` is followed by the text columns that count, eight bytes more for every row."""


def store_info(
    workspace: Workspace, token: CancelToken | None = None, limits: StoreLimits | None = None
) -> dict[str, Any]:
    """Counters since the workspace was made, rows and bytes per kind as they are held now.

    `limits` are those in force. Raises `Cancelled` and the problems of opening a workspace, store.*
    """
    view = StoreView(workspace)
    try:
        with problems_of(workspace.catalogue):
            return _told(view, limits, token or CancelToken())
    finally:
        view.close()


def _told(view: StoreView, limits: StoreLimits | None, token: CancelToken) -> dict[str, Any]:
    workspace = view.workspace
    view.refresh()
    counters, kinds = _gather(view, token)
    reasons = _reasons(view, token)
    spans = [row for row in view.overlapping(0, 0) if row.last_us]
    time = TimeText()
    first, last = min((row.first_us for row in spans), default=0), max((row.last_us for row in spans), default=0)
    sealed = sealed_figures(view)
    agents, series, topics = (fetch(view.catalogue, f"select count(*) from {table}")[0][0] for table in _NAMED)
    return {
        "workspace": str(workspace.root),
        "schema": int(view.catalogue.pragma("user_version")),
        "newest_schema": SCHEMA,
        "layout": SEALED_LAYOUT,
        **counters,
        "kinds": kinds,
        "agents": agents,
        "series": series,
        "topics": topics,
        "limits": {"agents": MOST_AGENTS, "series": MOST_SERIES, "series_of_agent": MOST_SERIES_OF_AGENT},
        "unreadable_reasons": dict(sorted(reasons.items())),
        "first": time(first) if first else None,
        "last": time(last) if last else None,
        "store_bytes": store_bytes(workspace, [row.id for row in view.all()]),
        "segments": dict(fetch(view.catalogue, "select state, count(*) from segment group by state order by state")),
        "sealed": {**sealed._asdict(), "bytes_saved": sealed.bytes_saved},
        "retention": _retention(view, limits, time),
        "captures": [
            {"id": id_, "kind": kind, "broker": broker, "started": time(since), "ended": time(end) if end else None}
            for id_, kind, broker, since, end in fetch(
                view.catalogue,
                f"select id, kind, {source_column(view)}, started_us, ended_us from capture order by id",
            )
        ],
        "damaged": {str(segment): reason for segment, reason in view.damaged.items()},
    }


def _retention(view: StoreView, limits: StoreLimits | None, time: TimeText) -> dict[str, dict[str, Any]]:
    """What is held of every kind that is kept by limits of its own, how far it reaches back, its limits; and in how many days
    recorded history is full, at the rate at which what is held of it came."""
    found: dict[str, dict[str, Any]] = {}
    for one in kinds_held(view):
        found[one.kind.value] = {
            "rows": one.rows,
            "bytes": one.bytes,
            "first": time(one.first_us) if one.first_us else None,
        }
        if limits is None:
            continue
        most_bytes, most_s = limits.of(one.kind)
        found[one.kind.value] |= {
            "most_bytes": most_bytes if most_bytes < NO_LIMIT else None,
            "most_days": round(most_s / 86_400, 3) if most_s < NO_LIMIT else None,
        }
        if one.kind is StoreKind.RECORDED:
            last_us = max((row.last_us for row in view.all() if not row.imported), default=0)
            took_us = last_us - one.first_us if one.first_us else 0
            full = (most_bytes - one.bytes) * took_us / one.bytes / 86_400e6 if took_us >= _SETTLED_US else None
            found[one.kind.value]["full_in_days"] = (
                None if full is None or most_bytes >= NO_LIMIT else round(max(0.0, full), 2)
            )
    return found


_SETTLED_US = 300_000_000
_NAMED = ("agent", "series", "topic")


def _gather(view: StoreView, token: CancelToken) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    counters = dict.fromkeys(("received", *COUNTERS), 0)
    kinds = {name: {"rows": 0, "bytes": 0} for name in ("messages", *_SIZES)}
    nothing = (0,) * len(COUNTERS)
    held = {row.id: row for row in view.all()}
    for id_, taken, *counts in fetch(view.catalogue, f"select id, taken_batch, {_COLUMNS} from segment"):
        token.check()
        found = held.get(id_)
        if found is not None:
            newer = view.attempt(found, lambda opened, _, taken=taken: _since_taken(opened, taken), nothing)  # type: ignore[misc]
            for place, more in enumerate(newer):
                counts[place] += more
            kinds["messages"]["rows"] += counts[0]
            kinds["messages"]["bytes"] += counts[4]
            sizes: dict[str, Row] = {}
            for name, (rows, size) in view.attempt(found, _sizes, sizes).items():
                kinds[name]["rows"] += rows
                kinds[name]["bytes"] += size
        for name, count in zip(COUNTERS, counts, strict=True):
            counters[name] += count
    counters["received"] = counters["stored"] + counters["duplicates"] + counters["dropped"]
    return counters, kinds


def _reasons(view: StoreView, token: CancelToken) -> Counter[str]:
    """Why messages that are held could not be read (wholly)."""
    found: Counter[str] = Counter()
    query = "select reason, count(*) from unreadable group by 1"
    for row in view.all():
        token.check()
        nothing: list[Row] = []
        found.update(dict(view.attempt(row, lambda opened, _: opened.rows(query), nothing)))
    return found


def _since_taken(opened: OpenSegment, taken: int) -> tuple[int, ...]:
    """Counters of the batches that the catalogue has not taken in."""
    messages, duplicates, unreadable, dropped, first_seq = opened.rows(_SINCE_TAKEN, taken)[0]
    size = 0
    if messages:
        size = opened.number("select sum(length(payload)) from message where seq >= ?", first_seq)
    return messages, duplicates, unreadable, dropped, size


def _sizes(opened: OpenSegment, _row: SegmentRow) -> dict[str, Row]:
    """Rows and bytes of each kind."""
    found: dict[str, Row] = {}
    for name, query in _SIZES.items():
        sql, _, columns = query.partition("|")
        lengths = " + ".join(f"coalesce(octet_length({column}), 0)" for column in columns.split())
        blocks = opened.blocks.get(name.removesuffix("s"))
        if name == "samples" and opened.has_chunks:
            found[name] = opened.rows(_CHUNKS)[0]
        elif blocks is not None:
            found[name] = blocks.count, 8 * blocks.count + blocks.text_bytes
        else:
            found[name] = opened.rows(sql.format(f"coalesce(sum(8 + {lengths}), 0)"))[0]
    return found
