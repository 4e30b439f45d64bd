"""Agents that mainly publish log records, and the library that these show: it is what they speak, unless they declare
something else."""

from typing import Any

from models.domain.batch import RecordBatch
from models.domain.messages import Kind
from models.domain.names import Names
from models.domain.records import Declaration
from mqtt.reading.declarations import Declarations
from mqtt.reading.log_libraries import library_of, library_of_line

MOST_LOOKED_AT = 50
"""Records of an agent without a certain shape, after which no further one is looked at."""
_FEWER = 2
"""So many messages with figures for one record, and logs are not what it mainly publishes any more."""


class _Speaker:
    __slots__ = ("figures", "library", "records", "row", "told")

    def __init__(self) -> None:
        self.library = self.told = ""
        self.records = self.figures = 0
        self.row = 0  # of its last record in the batch


class LogSpeakers:
    """For one reader. Bounded by the number of agents."""

    def __init__(self) -> None:
        self._known: dict[int, _Speaker] = {}
        self._heard: set[int] = set()  # with records in the batch

    def hear(self, row: int, agent: int, said: dict[str, Any] | str) -> None:
        """A log record, as it came: an object, or a line."""
        known = self._known.get(agent)
        if known is None:
            known = self._known[agent] = _Speaker()
        known.records += 1
        known.row = row
        if not known.library and known.records <= MOST_LOOKED_AT:
            known.library = library_of_line(said) if isinstance(said, str) else library_of(said)
        if known.library:
            self._heard.add(agent)

    def tell(self, batch: RecordBatch, names: Names, declarations: Declarations) -> None:
        """Declare, at the end of a batch, what is news."""
        if not self._known:
            return
        known = self._known
        doubtful = set(self._heard)
        for agent, kind in zip(batch.agent, batch.kind, strict=True):
            if kind == Kind.METRICS and agent in known:
                known[agent].figures += 1
                doubtful.add(agent)
        last = len(batch.agent) - 1
        for agent in sorted(doubtful):
            one = known[agent]
            if not one.library or declarations.has(names.agents[agent]):
                continue
            if one.told and one.figures > _FEWER * one.records:
                batch.declarations.append(Declaration(last, agent, ""))
                one.told = ""
            elif not one.told and one.records >= one.figures:
                batch.declarations.append(Declaration(one.row if agent in self._heard else last, agent, one.library))
                one.told = one.library
        self._heard.clear()
