"""What we subscribe to, what the broker grants of it, and what we ask for instead. Pure."""

from collections.abc import Sequence

from models.domain.connection import Connection
from models.domain.problems import Problem

_REFUSED = 0x80


class Subscriptions:
    """One connection's subscriptions. A broker that refuses `#` is asked for narrower filters, one step at a time:
    filters that overlap would bring everything twice.

    `own_topic` is subscribed with the rest, but its refusal is no one else's business.
    """

    def __init__(self, connection: Connection, own_topic: str) -> None:
        self._connection, self._own_topic = connection, own_topic
        roots = [f"{connection.prefix}/#", "homeassistant/#", "spBv1.0/#"]
        self._instead = [["+/+/#"], roots] if "#" in connection.filters else []
        self._asked: list[str] = []
        self._granted: list[str] = []
        self._refused: dict[str, str] = {}

    @property
    def granted(self) -> Sequence[str]:
        """The filters that bring messages."""
        return self._granted

    def first(self) -> list[str]:
        """The filters of the first SUBSCRIBE."""
        self._asked = [*self._connection.filters, self._own_topic]
        return self._asked

    def answered(self, codes: Sequence[tuple[int, str]]) -> list[str]:
        """SUBACK: (reason code, its text) for each filter asked. Returns what to ask next; empty: that is all."""
        narrowed = self._asked[-1] != self._own_topic
        pairs = list(zip(self._asked, codes, strict=False))
        granted = [one for one, (code, _) in pairs if code < _REFUSED and one != self._own_topic]
        self._granted += granted
        if not narrowed:
            self._refused = {one: text for one, (code, text) in pairs if code >= _REFUSED and one != self._own_topic}
        if "#" not in self._refused or (narrowed and granted) or not self._instead:
            return []
        self._asked = self._instead.pop(0)
        return self._asked

    def nothing_granted(self) -> Problem | None:
        """Every filter, also those asked instead, was refused."""
        if self._granted:
            return None
        detail = ", ".join(sorted(set(self._refused.values())))
        return Problem("broker.all-subscriptions", {"host": self._connection.host, "detail": detail})

    def warnings(self) -> tuple[Problem, ...]:
        """One for each reason, with the filters that were refused for it."""
        host = self._connection.host
        return tuple(
            Problem(
                "broker.subscription",
                {"host": host, "filters": ", ".join(one for one, why in self._refused.items() if why == reason),
                 "detail": reason},
            )
            for reason in dict.fromkeys(self._refused.values())
        )  # fmt: skip
