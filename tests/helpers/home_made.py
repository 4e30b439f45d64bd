"""Home-made payloads, each with exactly the agents, series, log records and failures that they hold."""

from typing import Any, NamedTuple

from tests.helpers.reading import Reading


class Case(NamedTuple):
    """`series` are pairs of agent and metric. `agents` None: those that have series."""

    sent: list[tuple[str, Any]]
    series: set[tuple[str, str]]
    agents: set[str] | None = None
    logs: int = 0
    unread: tuple[str, ...] = ()

    def check(self) -> None:
        """Send it message by message, and compare."""
        reading = Reading()
        batches = [reading.send(topic, payload) for topic, payload in self.sent]
        assert {(one.agent, one.metric) for one in reading.points} == self.series
        assert reading.agents() == ({agent for agent, _ in self.series} if self.agents is None else self.agents)
        assert sum(len(batch.logs) for batch in batches) == self.logs
        assert tuple(one.reason for batch in batches for one in batch.unreadable) == self.unread
