"""A workspace with a day of a simulated fleet in it, made by the real reader and the real writer under a stepped clock, and
beside it the same rows in the plain tables that one would make first."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw

from app.simulation.fleet import SimulatedFleet
from models.domain.batch import RecordBatch
from models.domain.clock import Instant
from models.domain.messages import Origin, RawMessage
from models.domain.names import Names
from models.domain.presence import PresenceKeeper
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from mqtt.bulk_publisher import Outgoing
from mqtt.reading.reader import Reader
from tests.helpers.clock import FakeClock

DAY_US = 86_400_000_000
STATUS_EVERY_US = 30_000_000
A_COMMIT = 200
"""Messages a commit at the most; at low rates a recorder commits fewer at a time."""

_PLAIN = """
CREATE TABLE series (id INTEGER PRIMARY KEY, agent INTEGER, metric TEXT, unit TEXT, labels TEXT);
CREATE TABLE agent (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE sample (series INTEGER, time INTEGER, received INTEGER, value REAL);
CREATE TABLE message (received INTEGER, topic BLOB, agent INTEGER, kind INTEGER, payload BLOB);
CREATE TABLE log (time INTEGER, received INTEGER, agent INTEGER, level INTEGER, logger TEXT, text TEXT, error TEXT,
    stack TEXT, attributes TEXT);
CREATE TABLE presence (time INTEGER, agent INTEGER, presence INTEGER, condition INTEGER, cause TEXT);
CREATE INDEX sample_by_series ON sample (series, received);
CREATE INDEX message_by_agent ON message (agent, received);
CREATE INDEX message_by_time ON message (received);
CREATE INDEX log_by_agent ON log (agent, received);
CREATE INDEX presence_by_agent ON presence (agent, time);
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """`clock` stands at the end of the recording. Counts are of what was given to both stores."""

    workspace: Workspace
    plain: Path
    clock: FakeClock
    messages: int
    samples: int
    logs: int


def fill(folder: Path, messages: int, agents: int, seed: int, span_us: int = DAY_US) -> Filled:
    """About as many messages (each agent's status every 30 s is among them), evenly over the span."""
    workspace, clock = Workspace.at(folder / "workspace"), FakeClock()
    writer = StoreWriter(workspace, clock)
    reader, keeper = Reader(writer.names, "agents", clock), PresenceKeeper()
    plain = _Plain(folder / "plain.db")
    writer.begin_capture("mqtt://127.0.0.1:1883", "filled")
    keeper.link_up(Instant.now(clock))
    counts = [0, 0, 0]
    for raw in _traffic(SimulatedFleet(agents, seed), messages, agents, span_us, clock):
        batch = reader.read(raw)
        batch.presence += keeper.observe(batch, Instant.now(clock))
        batch.presence += keeper.tick(Instant.now(clock))
        writer.commit(batch)
        writer.housekeep()
        plain.take(batch, writer.names)
        for place, more in enumerate((len(raw), len(batch.sample_series), len(batch.logs))):
            counts[place] += more
    plain.close(writer.names)
    writer.close()
    return Filled(workspace, folder / "plain.db", clock, *counts)


def _traffic(
    fleet: SimulatedFleet, messages: int, agents: int, span_us: int, clock: FakeClock
) -> Iterator[list[RawMessage]]:
    """Batches in order of arrival; the clock stands at the end of each. At most a status of everybody every 30 s, and not
    more than a fifth of all."""
    every_us = max(STATUS_EVERY_US, span_us * agents * 5 // max(1, messages))
    left = max(0, messages - agents * (span_us // every_us))
    commits = max(1, left // A_COMMIT, span_us // every_us)
    step_us, told_us, made = span_us // commits, 0, 0
    packet = 0
    for commit in range(commits):
        passed_us = commit * step_us
        out: list[Outgoing] = []
        if passed_us >= told_us:
            out += fleet.statuses(clock.wall_us() / 1e6)
            told_us += every_us
        due = left * (commit + 1) // commits - made
        out += fleet.next(due, clock.wall_us() / 1e6)
        made += due
        first_us, gap_us = clock.wall_us(), step_us // max(1, len(out))
        clock.advance(step_us)
        raw = []
        for place, one in enumerate(out):
            packet = packet % 65_535 + 1
            at_us = first_us + place * gap_us
            raw.append(RawMessage(one.topic, one.payload, 1, False, False, packet, None, at_us, Origin.LIVE, 1))
        yield raw


class _Plain:
    """The plain tables, filled with what the reader made of the same messages."""

    def __init__(self, path: Path) -> None:
        self._database = apsw.Connection(str(path))
        self._database.pragma("journal_mode", "WAL")
        self._database.pragma("synchronous", "OFF")
        for _ in self._database.execute(_PLAIN):
            pass
        self._database.execute("BEGIN")

    def take(self, batch: RecordBatch, _names: Names) -> None:
        put, raw = self._database.executemany, batch.messages
        samples, at = [], 0
        for row, time_us, count in zip(batch.stamp_row, batch.stamp_time_us, batch.stamp_count, strict=True):
            received_us = raw[row].received_us
            pairs = zip(batch.sample_series[at : at + count], batch.sample_value[at : at + count], strict=True)
            samples += [(series, time_us, received_us, value) for series, value in pairs]
            at += count
        put("INSERT INTO sample VALUES (?, ?, ?, ?)", samples)
        rows = zip(raw, batch.agent, batch.kind, strict=True)
        put(
            "INSERT INTO message VALUES (?, ?, ?, ?, ?)",
            [(m.received_us, m.topic, a, int(k), m.payload) for m, a, k in rows],
        )
        logs = [(o.time_us, raw[o.row].received_us, o.agent, int(o.level), *o[4:]) for o in batch.logs]
        put("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", logs)
        changes = [(o.time_us, o.agent, int(o.presence), int(o.condition), str(o.cause)) for o in batch.presence]
        put("INSERT INTO presence VALUES (?, ?, ?, ?, ?)", changes)

    def close(self, names: Names) -> None:
        put = self._database.executemany
        series = [(i, k.agent, k.metric, k.unit, k.labels) for i, k in enumerate(names.series) if i]
        put("INSERT INTO series VALUES (?, ?, ?, ?, ?)", series)
        put("INSERT INTO agent VALUES (?, ?)", [(i, name) for i, name in enumerate(names.agents) if i])
        for statement in ("COMMIT", "ANALYZE"):
            for _ in self._database.execute(statement):
                pass
        self._database.close()
