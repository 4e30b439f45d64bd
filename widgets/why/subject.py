"""What somebody asks "why?" about."""

from typing import NamedTuple

from models.domain.queries import LogLine, MessageLine


class OfAgent(NamedTuple):
    """An agent, as exports name it; with a metric: its series of that name."""

    agent: str
    metric: str = ""


Subject = OfAgent | LogLine | MessageLine
