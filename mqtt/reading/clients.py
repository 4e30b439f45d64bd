"""What a broker tells of its clients: who connected, who was refused, who went. A client whose id is an agent's name is that
agent. Of others only a failure makes one: whoever reads along, and reporters that speak for others, are no agents."""

import re
from itertools import islice
from typing import TYPE_CHECKING

from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import Attempt, Outcome, PresenceEvidence
from mqtt.reading.generic_topics import is_passing, names_agent

if TYPE_CHECKING:
    from mqtt.reading.plan import Sink

MOST_AWAITED = 10_000
MOST_KEPT = 16
"""Attempts of a client that is no agent yet."""
MOST_REFUSED = 200
"""Agents that are known by a refusal alone: ids are what strangers like them to be, and must not take the room of others."""
_RANK = 3
_OWN_COUNT = "agent.connection.attempts"
_MADE_UP = re.compile(
    r"(?:auto|mosq|mosqpub|mosqsub|mqttjs|mqttx|mqtt-explorer|paho|hmqtt|emqx|murmurscope)[-_/|].*", re.IGNORECASE
)


class Clients:
    """Clients that connected and are no agents yet: mostly an agent connects before it publishes. Bounded."""

    def __init__(self) -> None:
        self._awaited: dict[str, tuple[list[int], bool]] = {}  # client -> when it connected, and whether it is there
        self._agents = 0  # how many there were when we looked last
        self._refused = 0  # agents made by a refusal, in this run

    def connected(self, row: int, client: str, time_us: int, sink: "Sink", *, still: bool = True) -> None:
        """It connected; `still`: and is there, as far as we know."""
        agent = sink.names.known_agent(client)
        if agent:
            _count(Attempt(row, time_us, agent, Outcome.OK, None, None, None), sink)
            if still:
                _tell(row, agent, Presence.ONLINE, sink)
        elif names_agent(client) and not is_made_up(client):
            times, _ = self._awaited.pop(client, ([], False))
            if len(self._awaited) >= MOST_AWAITED:
                for old in list(islice(self._awaited, MOST_AWAITED // 8)):
                    del self._awaited[old]
            self._awaited[client] = [*times, time_us][-MOST_KEPT:], still

    def failed(self, row: int, client: str | None, time_us: int, outcome: Outcome, error: str, sink: "Sink") -> None:
        """An attempt to connect came to nothing; `client` None: it did not come to say who it is."""
        agent = 0
        if client and names_agent(client) and not is_made_up(client):
            agent = sink.names.known_agent(client)
            if not agent and self._refused < MOST_REFUSED:
                agent = sink.agent(client)  # the message is the broker's: being refused is no sign of life
                self._refused += 1
        _count(Attempt(row, time_us, agent, outcome, error, None, None if agent or not client else client), sink)

    def left(self, row: int, client: str, presence: Presence, sink: "Sink") -> None:
        """Its connection ended: `STOPPED` where it said goodbye to the broker."""
        if client in self._awaited:  # though it may have become an agent in this batch
            self._awaited[client] = self._awaited[client][0], False
        agent = sink.names.known_agent(client)
        if agent:
            _tell(row, agent, presence, sink)

    def catch_up(self, row: int, sink: "Sink") -> None:
        """At the end of a batch, whose last message is `row`: who became an agent meanwhile?"""
        if not self._awaited or sink.names.agents_known == self._agents:
            return
        self._agents = sink.names.agents_known
        for client in [one for one in self._awaited if sink.names.known_agent(one)]:
            agent = sink.names.known_agent(client)
            times, present = self._awaited.pop(client)
            for time_us in times:
                _count(Attempt(row, time_us, agent, Outcome.OK, None, None, None), sink)
            if present:
                _tell(row, agent, Presence.ONLINE, sink)


def is_made_up(client: str) -> bool:
    """Whether a client's id is of the kind that libraries and tools make up anew each time, or our own."""
    return is_passing(client) or _MADE_UP.fullmatch(client) is not None


def _count(attempt: Attempt, sink: "Sink") -> None:
    """An agent that counts its connections itself knows more of them than its broker."""
    if not (attempt.agent and sink.names.known_series(attempt.agent, _OWN_COUNT)):
        sink.batch.attempts.append(attempt)


def _tell(row: int, agent: int, presence: Presence, sink: "Sink") -> None:
    sink.batch.evidence.append(PresenceEvidence(row, agent, presence, Condition.OK, Cause.BROKER, _RANK))
