"""The writer port: everything one commit stores, as columns. Filled by `mqtt.reading`, stored by `models.storage`."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from zlib import crc32

from models.domain.messages import RawColumns, RawMessage, columns_of
from models.domain.records import (
    Attempt,
    Declaration,
    Gap,
    Interaction,
    LogRow,
    PresenceChange,
    PresenceEvidence,
    TaskReport,
    Unreadable,
)  # fmt: skip


@dataclass(slots=True)
class RecordBatch:
    """One commit. The first block has one entry per message; `stamp_*` one per message that holds samples; `sample_*`
    one per sample, in the order of the stamps. All other lists hold records whose `row` points into the first block.

    Made and used by one thread; not changed after it was handed to the writer.
    """

    messages: Sequence[RawMessage] = ()
    topic: list[int] = field(default_factory=list)
    agent: list[int] = field(default_factory=list)  # 0: no agent
    kind: list[int] = field(default_factory=list)  # messages.Kind
    duplicate: list[bool] = field(default_factory=list)  # the publisher sent it twice; derives nothing

    stamp_row: list[int] = field(default_factory=list)
    stamp_time_us: list[int] = field(default_factory=list)  # the agent's own time where plausible, else arrival
    stamp_count: list[int] = field(default_factory=list)
    sample_series: "array[int]" = field(default_factory=lambda: array("I"))  # unsigned, 32 bits
    sample_value: list[float] = field(default_factory=list)  # always finite

    logs: list[LogRow] = field(default_factory=list)
    tasks: list[TaskReport] = field(default_factory=list)
    interactions: list[Interaction] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    declarations: list[Declaration] = field(default_factory=list)
    remembered: list[int] = field(default_factory=list)  # rows of messages that later ones cannot be read without
    forgotten: list[int] = field(
        default_factory=list
    )  # the same, where there is no room: nor is an earlier one of the topic kept
    evidence: list[PresenceEvidence] = field(default_factory=list)  # feeds presence; not stored itself
    presence: list[PresenceChange] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    late: list[int] = field(
        default_factory=list
    )  # topics that were read by a guess in batches before, and have names now
    duplicates: int = 0  # redeliveries acknowledged and not stored
    dropped: int = 0  # QoS 0 beyond the limit, since the batch before
    arrived_to: int = (
        0  # with these, all arrivals up to this number are stored (`arrivals.Arrival`); 0: says nothing of them
    )

    _columns: RawColumns | None = None
    _checksums: list[int] | None = None

    @property
    def columns(self) -> RawColumns:
        """The messages, turned by a quarter: quicker for whoever wants one part of all of them."""
        if self._columns is None:
            self._columns = columns_of(self.messages)
        return self._columns

    @property
    def checksums(self) -> list[int]:
        """CRC-32 of topic + payload of each message."""
        if self._checksums is None:
            columns = self.columns
            self._checksums = list(map(crc32, columns.payload, map(crc32, columns.topic)))
        return self._checksums

    def add_samples(self, row: int, time_us: int, series: Sequence[int], values: Sequence[float]) -> None:
        """Samples that message `row` took at `time_us`; `series` and `values` have equal length."""
        self.stamp_row.append(row)
        self.stamp_time_us.append(time_us)
        self.stamp_count.append(len(series))
        self.sample_series.extend(series)
        self.sample_value.extend(values)
