"""Whether a number of a message is recorded as a series: then Explore can do more with it."""

from collections.abc import Callable, Sequence

from models.domain.json_path import Path
from models.domain.layouts.layout import Plotted
from models.domain.queries import (
    AgentRequest,
    AgentResult,
    DataSource,
    Failed,
    MessageLine,
    Result,
    SeriesInfo,
    SeriesRequest,
    SeriesResult,
    Ticket,
)

Found = Callable[[Plotted], object]


class RecordedField:
    """Asks for the series of the message's agent that is called like the field and has a sample out of this very message.
    GUI thread."""

    def __init__(self, source: DataSource, found: Found) -> None:
        self._source, self._found = source, found
        self._ticket: Ticket | None = None

    def look(self, line: MessageLine, path: Path) -> None:
        """`found` is told, or nothing happens."""
        self.stop()
        name = next((part for part in reversed(path) if isinstance(part, str)), "")
        if line.agent and name:
            self._ticket = self._source.ask(AgentRequest(line.agent), lambda result: self._named(line, name, result))

    def stop(self) -> None:
        """Nothing is told any more."""
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None

    def _named(self, line: MessageLine, name: str, result: Result | Failed) -> None:
        self._ticket = None
        if not isinstance(result, AgentResult):
            return
        some = [info for info in result.series if _plain(info.key.metric).endswith(_plain(name))]
        if some:
            at_us = line.key.received_us
            request = SeriesRequest(tuple(info.id for info in some), at_us, at_us + 1)
            self._ticket = self._source.ask(request, lambda found: self._sampled(result.id, some, found))

    def _sampled(self, agent: str, some: Sequence[SeriesInfo], result: Result | Failed) -> None:
        if not isinstance(result, SeriesResult) or not result.complete:
            return
        self._ticket = None
        held = {columns.series for columns in result.columns if len(columns.value)}
        meant = [info.key for info in some if info.id in held]
        if len(meant) == 1:  # of several nobody knows which
            self._found(Plotted(agent, meant[0].metric, meant[0].labels))


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))
