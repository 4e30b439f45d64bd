"""Builds a workspace by plain inserts, exactly per the schema: history to read, without a recorder."""

import zlib
from collections.abc import Sequence

import numpy as np

from models.domain.batch import RecordBatch
from models.domain.messages import Kind, Origin, Properties, RawMessage
from models.domain.names import Names, SeriesKey, SeriesKind
from models.storage import catalogue
from models.storage.catalogue_file import open_catalogue
from models.storage.engine import APPLICATION_ID, open_database
from models.storage.segments import sample_columns
from models.storage.segments import schema as segment
from models.storage.segments.message_properties import encode
from models.storage.segments.pulse_columns import PULSE, RESPONSE
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US, FakeClock

SECOND_US = 1_000_000


def raw(
    topic: bytes | str = "agents/a/metrics",
    payload: bytes = b"{}",
    at_us: int = FIRST_WALL_US,
    properties: Properties | None = None,
    origin: Origin = Origin.LIVE,
    qos: int = 1,
    retain: bool = False,
) -> RawMessage:
    topic = topic.encode() if isinstance(topic, str) else topic
    return RawMessage(topic, payload, qos, retain, False, 0, properties, at_us, origin, 1)


class HistoryBuilder:
    """One workspace under construction. `names` gives ids; everything written names only what it uses."""

    def __init__(self, workspace: Workspace) -> None:
        workspace.segments.mkdir(parents=True, exist_ok=True)
        self.workspace = workspace
        self.names = Names()
        self.database = open_catalogue(workspace, FakeClock())
        self.database.connection().pragma("synchronous", "OFF")  # no test here cuts the power
        self.captures = self.segments = 0
        self._known: set[tuple[str, int]] = set()
        self._written: list[SegmentBuilder] = []

    def capture(self, kind: str = "record", ended_us: int | None = None) -> int:
        self.captures += 1
        self.insert(
            catalogue.Capture, id=self.captures, kind=kind, started_us=FIRST_WALL_US, ended_us=ended_us,
            broker="mqtt://localhost:1883", client_id="c", host="h", version="0",
        )  # fmt: skip
        return self.captures

    def end_capture(self, capture: int, at_us: int) -> None:
        with self.database.bind_ctx(catalogue.CATALOGUE_MODELS):
            catalogue.Capture.update(ended_us=at_us).where(catalogue.Capture.id == capture).execute()

    def insert(self, model: type, **values: object) -> None:
        """A row of the catalogue."""
        with self.database.bind_ctx([model]):
            model.insert(**values).execute()

    def update_agent_now(self, agent: int, **values: object) -> None:
        row = {
            "agent_id": agent, "presence": 1, "condition": 0, "cause": "heard", "since_us": FIRST_WALL_US,
            "first_seen_us": FIRST_WALL_US, "last_seen_us": FIRST_WALL_US, "messages": 1, **values,
        }  # fmt: skip
        with self.database.bind_ctx([catalogue.AgentNow]):
            catalogue.AgentNow.replace(**row).execute()

    def insert_total(self, topic: int, messages: int, last_us: int, agent: int = 0) -> None:
        """What came on a topic, as take-in would have summed it up."""
        self.insert(
            catalogue.TopicTotal, topic_id=topic, messages=messages, payload_bytes=10 * messages, last_us=last_us,
            agent_id=agent, revision=1,
        )  # fmt: skip

    def agent(self, name: str) -> int:
        """An agent that the catalogue knows."""
        id_ = self.names.agent(name)
        self.know("agent", id_)
        return id_

    def series(
        self, agent: int, metric: str, labels: str = "", unit: str = "1", kind: SeriesKind = SeriesKind.GAUGE
    ) -> int:
        id_ = self.names.series_of(SeriesKey(agent, metric, labels, unit, kind, "own"))
        self.know("series", id_)
        return id_

    def know(self, kind: str, id_: int) -> None:
        if (kind, id_) in self._known or not id_:
            return
        self._known.add((kind, id_))
        if kind == "agent":
            self.insert(catalogue.Agent, id=id_, name=self.names.agents[id_])
        elif kind == "topic":
            self.insert(catalogue.Topic, id=id_, name=self.names.topics[id_])
        else:
            key = self.names.series[id_]
            self.insert(catalogue.Series, id=id_, agent_id=key.agent, metric=key.metric, labels=key.labels, unit=key.unit,
                        kind=int(key.kind), source=key.source)  # fmt: skip

    def segment(self, capture: int | None = None) -> "SegmentBuilder":
        self.segments += 1
        self._written.append(SegmentBuilder(self, self.segments, capture or self.captures or self.capture()))
        return self._written[-1]

    def messages(self, messages: Sequence[RawMessage], agent: int = 0, kind: Kind = Kind.METRICS) -> RecordBatch:
        """A batch of messages of one agent, ready for samples, logs and so on."""
        batch = RecordBatch(messages=messages)
        for message in messages:
            batch.topic.append(self.names.topic(message.topic))
            batch.agent.append(agent)
            batch.kind.append(int(kind))
            batch.duplicate.append(False)
        return batch

    def close(self) -> None:
        for one in self._written:
            one.database.close()
        self.database.close()


class SegmentBuilder:
    """One segment file, open until `close`. The catalogue's row is kept up to date with every batch."""

    def __init__(self, builder: HistoryBuilder, id_: int, capture: int) -> None:
        self.builder, self.id, self.capture = builder, id_, capture
        self.database = open_database(builder.workspace.segment(id_), create=True)
        self.database.connection().pragma("synchronous", "OFF")
        assert self.database.connection().pragma("application_id") == APPLICATION_ID
        segment.create_tables(self.database)
        for key, value in {"layout": segment.LAYOUT, "capture": capture, "segment": id_}.items():
            self.row(segment.Meta, key=key, value=str(value))
        self.batches, self.seq = 0, 1
        self._known: set[tuple[str, int]] = set()
        self.sums = dict.fromkeys("messages samples logs tasks duplicates dropped unreadable payload_bytes".split(), 0)
        self.first_us = self.last_us = 0
        builder.insert(
            catalogue.Segment, id=id_, capture_id=capture, layout=segment.LAYOUT, state="open", first_us=0, last_us=0,
            bytes=0, taken_batch=0, **self.sums,
        )  # fmt: skip

    def row(self, model: type, **values: object) -> None:
        with self.database.bind_ctx([model]):
            model.insert(**values).execute()

    def write(self, batch: RecordBatch, committed_us: int | None = None) -> int:
        """One commit. Answers its id."""
        with self.database.atomic():
            return self._write(batch, committed_us)

    def _write(self, batch: RecordBatch, committed_us: int | None) -> int:
        names, messages = self.builder.names, batch.messages
        self.batches += 1
        committed_us = committed_us or (messages[-1].received_us if messages else FIRST_WALL_US)
        first_us = messages[0].received_us if messages else committed_us
        last_us = messages[-1].received_us if messages else committed_us
        with_samples = sorted({names.series[id_].agent for id_ in batch.sample_series})
        counts = {"n_logs": len(batch.logs), "n_tasks": len(batch.tasks), "n_samples": len(batch.sample_series)}
        self.row(
            segment.Batch, id=self.batches, committed_us=committed_us, first_us=first_us, last_us=last_us,
            first_seq=self.seq, n=len(messages), duplicates=batch.duplicates, dropped=batch.dropped,
            unreadable=len(batch.unreadable), agents=np.array(with_samples, "<u4").tobytes() if with_samples else None,
            samples=sample_columns.encode(batch), **counts,
        )  # fmt: skip
        for place, message in enumerate(messages):
            self._name("topic", batch.topic[place])
            self._name("agent", batch.agent[place])
            flags = message.qos | message.retain << 2 | batch.duplicate[place] << 3 | message.origin << 4
            self.row(
                segment.Message, seq=self.seq + place, received_us=message.received_us, topic_id=batch.topic[place],
                agent_id=batch.agent[place], kind=batch.kind[place], flags=flags,
                crc=zlib.crc32(message.payload, zlib.crc32(message.topic)), properties=encode(message.properties),
                payload=message.payload,
            )  # fmt: skip
        self._write_records(batch)
        self._keep_accounts(batch, first_us, last_us)
        self.seq += len(messages)
        return self.batches

    def _write_records(self, batch: RecordBatch) -> None:
        for series in set(batch.sample_series):
            self._name("series", series)
        for model, records in (
            (segment.Log, batch.logs), (segment.TaskReport, batch.tasks), (segment.Attempt, batch.attempts),
        ):  # fmt: skip
            for record in records:
                values = record._asdict()
                place, agent = values.pop("row"), values.pop("agent")
                self._name("agent", agent)
                received_us = batch.messages[place].received_us
                self.row(model, seq=self.seq + place, received_us=received_us, agent_id=agent, **values)
        for one in batch.interactions:
            self._name("agent", one.sender)
            self._name("agent", one.receiver)
            received_us = batch.messages[one.row].received_us
            self.row(segment.Interaction, seq=self.seq + one.row, time_us=one.time_us, received_us=received_us,
                     from_id=one.sender, to_id=one.receiver, kind=one.kind, exchange=one.id, reply_us=one.reply_us,
                     outcome=int(one.outcome))  # fmt: skip
        for change in batch.presence:
            self._name("agent", change.agent)
            values = change._asdict()
            self.row(segment.PresenceChange, batch_id=self.batches, agent_id=values.pop("agent"), **values)
        for bad in batch.unreadable:
            self.row(segment.Unreadable, seq=self.seq + bad.row, topic_id=batch.topic[bad.row], reason=bad.reason)
        for gap in batch.gaps:
            values = {"since_us": gap.since_us, "until_us": gap.until_us, "agent_id": gap.agent, "cause": str(gap.cause),
                      "count": gap.missing}  # fmt: skip
            self.row(segment.Gap, batch_id=self.batches, **values)
            self.builder.insert(catalogue.Gap, segment_id=self.id, **values)

    def _keep_accounts(self, batch: RecordBatch, first_us: int, last_us: int) -> None:
        self.first_us = self.first_us or first_us
        self.last_us = last_us
        more = {
            "messages": len(batch.messages), "samples": len(batch.sample_series), "logs": len(batch.logs),
            "tasks": len(batch.tasks), "duplicates": batch.duplicates, "dropped": batch.dropped,
            "unreadable": len(batch.unreadable), "payload_bytes": sum(len(one.payload) for one in batch.messages),
        }  # fmt: skip
        for key, count in more.items():
            self.sums[key] += count
        self._update(first_us=self.first_us, last_us=self.last_us, taken_batch=self.batches, **self.sums)

    def pulse(
        self, since_us: int, entries: Sequence[dict[str, float]], responses: Sequence[tuple[int, int, int]] = ()
    ) -> None:
        """A pulse; an entry names its agent and what is not zero or absent."""
        data = np.zeros(len(entries), PULSE)
        for name in ("cpu", "cpu_max", "memory"):
            data[name] = np.nan
        for place, entry in enumerate(entries):
            for name, value in entry.items():
                data[name][place] = value
        self.row(segment.Pulse, since_us=since_us, batch_id=self.batches, n=len(entries), data=data.tobytes(),
                 responses=np.array(list(responses), RESPONSE).tobytes() if responses else None)  # fmt: skip

    def _name(self, kind: str, id_: int) -> None:
        if (kind, id_) in self._known or not id_:
            return
        self._known.add((kind, id_))
        names = self.builder.names
        self.builder.know(kind, id_)
        if kind == "topic":
            self.row(segment.Topic, id=id_, name=names.topics[id_])
        elif kind == "agent":
            self.row(segment.Agent, id=id_, name=names.agents[id_])
        else:
            key = names.series[id_]
            self._name("agent", key.agent)
            self.row(segment.Series, id=id_, agent_id=key.agent, metric=key.metric, labels=key.labels, unit=key.unit,
                     kind=int(key.kind), source=key.source)  # fmt: skip

    def _update(self, **values: object) -> None:
        with self.builder.database.bind_ctx([catalogue.Segment]):
            catalogue.Segment.update(**values).where(catalogue.Segment.id == self.id).execute()

    def close(self, state: str = "closed") -> None:
        self.database.connection().wal_checkpoint(mode=3)
        self.database.close()
        self._update(state=state)
