"""Batches for the store as a reader of messages would make them, and looks into its files."""

from collections.abc import Sequence
from typing import Any
from zlib import crc32

import apsw

from models.domain.batch import RecordBatch
from models.domain.messages import Kind, Origin, Properties, RawMessage
from models.domain.names import Names, SeriesKey, SeriesKind
from models.storage.engine import open_reader
from models.storage.workspace import Workspace


def message(
    received_us: int,
    topic: bytes = b"agents/a/metrics",
    payload: bytes = b"{}",
    *,
    qos: int = 1,
    packet_id: int = 0,
    origin: Origin = Origin.LIVE,
    properties: Properties | None = None,
) -> RawMessage:
    return RawMessage(topic, payload, qos, False, False, packet_id, properties, received_us, origin, 1)


def batch_of(
    names: Names,
    messages: Sequence[RawMessage],
    agents: Sequence[str],
    samples: Sequence[tuple[int, str, float]] = (),
    *,
    kind: Kind = Kind.METRICS,
    series_kind: SeriesKind = SeriesKind.GAUGE,
    unit: str = "",
) -> RecordBatch:
    """`agents` names the agent of each message ("" none), `samples` are (row, metric, value), grouped by row."""
    batch = RecordBatch(messages=messages)
    for one, agent in zip(messages, agents, strict=True):
        batch.topic.append(names.topic(one.topic))
        batch.agent.append(names.agent(agent) if agent else 0)
        batch.kind.append(kind)
        batch.duplicate.append(False)
    for row in sorted({row for row, _, _ in samples}):
        some = [(metric, value) for at, metric, value in samples if at == row]
        ids = [
            names.series_of(SeriesKey(batch.agent[row], metric, "", unit, series_kind, "test")) for metric, _ in some
        ]
        batch.add_samples(row, messages[row].received_us, ids, [value for _, value in some])
    return batch


def rows(workspace: Workspace, file: str | int, query: str) -> list[tuple[Any, ...]]:
    """Ask the catalogue ("catalogue") or a segment (its id)."""
    connection: apsw.Connection = open_reader(
        workspace.catalogue if file == "catalogue" else workspace.segment(int(file))
    )
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def crc_of(one: RawMessage) -> int:
    return crc32(one.topic + one.payload)


def catalogue_now(workspace: Workspace) -> bytes:
    """The catalogue with what its log holds, as one file."""
    live, copy = apsw.Connection(str(workspace.catalogue)), apsw.Connection(":memory:")
    with copy.backup("main", live, "main") as step:
        step.step(-1)
    live.close()
    return bytes(copy.serialize("main"))


def put_back(workspace: Workspace, catalogue: bytes | None) -> None:
    """Let the catalogue fall back to an older state of itself, or be lost. Nobody may have it open."""
    for path in workspace.root.glob("catalogue.db*"):
        path.unlink()
    if catalogue is not None:
        workspace.catalogue.write_bytes(catalogue)
