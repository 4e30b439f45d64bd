"""Tells a story over a broker: who the story is about has a connection of its own, which breaks when it dies."""

from collections.abc import Callable, Sequence

from app.simulation.fleet import SimulatedFleet
from app.simulation.story import Story
from app.simulation.story_script import Dies, Lives
from mqtt.bulk_publisher import BulkPublisher, Outgoing

Connect = Callable[[str, Outgoing], BulkPublisher]
"""A new connection under this client id and with this will. Raises `EnvironmentProblem` broker.*."""
_DRAIN_LIMIT_S = 2.0


class StoryTeller:
    """One thread. Methods raise `ConnectionError` when a connection breaks by itself, and what `connect` raises."""

    def __init__(self, fleet: SimulatedFleet, crowd: BulkPublisher, connect: Connect, speed: float = 1.0) -> None:
        """`crowd` is the connection of all others; `speed`: so many seconds of the story in one."""
        self._fleet = fleet
        self._story = Story(fleet)
        self._crowd = crowd
        self._connect = connect
        self._speed = speed
        self._agent = -1  # that has a connection of its own
        self._own: BulkPublisher | None = None
        self.acknowledged = self.unacknowledged = 0  # on connections of their own that ended

    def tell(self, elapsed_s: float, now_s: float) -> None:
        """What happens up to `elapsed_s` after the beginning."""
        for event in self._story.advance(elapsed_s * self._speed, now_s):
            match event:
                case Lives(agent):
                    self._live(agent)
                case Dies():
                    self._die()
                case Outgoing():
                    self.send([event], 1)

    def send(self, messages: Sequence[Outgoing], qos: int) -> None:
        """Publish, each on the connection of whoever says it."""
        if self._own is None:
            self._crowd.send(messages, qos)
            return
        own: list[Outgoing] = []
        others: list[Outgoing] = []
        for message in messages:
            (own if self._fleet.sender(message) == self._agent else others).append(message)
        self._own.send(own, qos)
        self._crowd.send(others, qos)

    def poll(self) -> None:
        """Listen to the broker."""
        if self._own is not None:
            self._own.poll()

    def close(self) -> None:
        """Say goodbye."""
        own = self._leave()
        if own is not None:
            own.close()

    def _live(self, agent: int) -> None:
        self.close()
        self._own = self._connect(f"agents-{self._fleet.ids[agent]}", self._fleet.will(agent))
        self._agent = agent

    def _die(self) -> None:
        own = self._leave()
        if own is not None:
            own.drop()

    def _leave(self) -> BulkPublisher | None:
        """The connection, with its last words delivered: they would be lost with it."""
        own, self._own = self._own, None
        if own is not None:
            own.drain(_DRAIN_LIMIT_S)
            self.unacknowledged += own.in_flight
            self.acknowledged += own.acknowledged
        return own
