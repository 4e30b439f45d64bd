"""What messages would be read as under rules: the very rows that an export would write. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from models.domain.clock import Clock
from models.domain.messages import Origin, RawMessage
from models.domain.names import Names
from models.domain.rules import Rules
from mqtt.reading.reader import Reader


class PreviewRow(NamedTuple):
    """One figure, log record, task or word of presence. `what`: the metric, `log`, `task`, `presence`, or `unreadable`; `value`: a
    float in `unit`, or a text. `message` is the place of the message that it came of, `source` who made the series of a figure."""

    message: int
    time_us: int
    agent: str
    what: str
    value: float | str
    unit: str = ""
    source: str = ""


def preview(
    messages: Sequence[RawMessage], rules: Rules, prefix: str, clock: Clock, declared: Sequence[RawMessage] = ()
) -> list[PreviewRow]:
    """In the order of the messages. `declared`: what was remembered of others before them, as names and units. A retained replay
    counts as live, as there may be nothing else to look at."""
    names = Names()
    live = [one._replace(origin=Origin.IMPORTED if one.origin is Origin.REPLAY else one.origin) for one in messages]
    reader = Reader(names, prefix, clock, rules)
    reader.recall(declared)
    batch = reader.read(live)
    rows: list[PreviewRow] = []
    at = 0
    for row, time_us, count in zip(batch.stamp_row, batch.stamp_time_us, batch.stamp_count, strict=True):
        for place in range(at, at + count):
            series = names.series[batch.sample_series[place]]
            metric = series.metric + (f" {series.labels}" if series.labels else "")
            agent, value = names.agents[series.agent], batch.sample_value[place]
            rows.append(PreviewRow(row, time_us, agent, metric, value, series.unit, series.source))
        at += count
    for log in batch.logs:
        text = f"{log.level.name.lower()} {log.text}"
        rows.append(PreviewRow(log.row, log.time_us, names.agents[log.agent], "log", text))
    for task in batch.tasks:
        text = f"{task.task} {task.state.value}"
        rows.append(PreviewRow(task.row, task.time_us, names.agents[task.agent], "task", text))
    for said in batch.evidence:
        word = said.presence.name.lower()
        rows.append(PreviewRow(said.row, live[said.row].received_us, names.agents[said.agent], "presence", word))
    for one in batch.unreadable:
        agent = names.agents[batch.agent[one.row]]
        rows.append(PreviewRow(one.row, live[one.row].received_us, agent, "unreadable", one.reason))
    return sorted(rows, key=lambda one: one.message)
