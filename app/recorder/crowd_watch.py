"""Tells where agents, series or declarations are too many: as long as any are refused, and a while longer."""

from models.domain.clock import Clock
from models.domain.crowd import MOST_AGENTS, MOST_REMEMBERED, MOST_SERIES, MOST_SERIES_OF_AGENT, Crowd
from models.domain.problems import Problem

TOLD_US = 600_000_000


class CrowdWatch:
    """`look`: the ingest thread, about once a second. `problems`: any thread."""

    def __init__(self, crowd: Crowd, clock: Clock) -> None:
        self._crowd, self._clock = crowd, clock
        self._counts = (0, 0, 0, 0)
        self._until_us = [0, 0, 0, 0]  # monotonic: how long each is told

    def look(self) -> None:
        """Has anybody been refused since the last look?"""
        crowd = self._crowd
        counts = (crowd.agents, crowd.series, crowd.series_of_agent, crowd.remembered)
        for place, (now, before) in enumerate(zip(counts, self._counts, strict=True)):
            if now > before:
                self._until_us[place] = self._clock.monotonic_us() + TOLD_US
        self._counts = counts

    def problems(self) -> tuple[Problem, ...]:
        """What is to be told at present."""
        told = (
            Problem("crowd.agents", {"most": f"{MOST_AGENTS:,}"}),
            Problem("crowd.series", {"most": f"{MOST_SERIES:,}"}),
            Problem("crowd.agent-series", {"agent": self._crowd.largest_agent, "most": f"{MOST_SERIES_OF_AGENT:,}"}),
            Problem("crowd.remembered", {"most": f"{MOST_REMEMBERED:,}"}),
        )
        now_us = self._clock.monotonic_us()
        return tuple(one for one, until_us in zip(told, self._until_us, strict=True) if now_us < until_us)
