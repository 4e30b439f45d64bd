"""What is left of a topic that rules speak of: read as it would be without them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from models.domain.json_path import Path
from models.domain.messages import Properties, RawMessage
from models.domain.rules import Meaning
from mqtt.reading.bound_rule import TIMES, BoundRule
from mqtt.reading.generic_reading import GenericPlan
from mqtt.reading.plan import Plan, Recogniser, Sink

_encode = msgspec.json.encode


class Rest:
    """What other recognisers make of a topic, with an agent that a rule may name. What follows a convention of which we know
    whose its messages are stays with these."""

    def __init__(
        self, topic: int, levels: list[str], recognisers: Sequence[Recogniser], rules: list[BoundRule]
    ) -> None:
        self._topic, self._levels, self._recognisers = topic, levels, recognisers
        numbers = [one.path for one in rules if one.rule.means is Meaning.NUMBER]
        self._whole = () in numbers
        self._keys = frozenset(path[0] for path in numbers if len(path) == 1 and isinstance(path[0], str))
        self._spent = self._keys.union(TIMES) if all(len(path) == 1 for path in numbers) else frozenset[str]()
        """An object with no other keys leaves nothing to read."""
        self._plan: Plan | None = None

    def read(
        self, row: int, message: RawMessage, body: object, agent: str | None, taken: list[Path], sink: Sink
    ) -> None:  # fmt: skip
        if taken and isinstance(body, dict) and body.keys() <= self._spent:
            return
        simple = isinstance(self._plan, GenericPlan)
        if taken and not (simple and all(len(path) == 1 and path[0] in self._keys for path in taken)):
            left = _without(body, taken)
            if not left:
                return
            message = message._replace(payload=_encode(left))
        plan = self._plan
        if plan is None:
            plans = (one.claim(self._topic, self._levels, message, sink) for one in self._recognisers)
            plan = self._plan = next(plan for plan in plans if plan is not None)
            sink.batch.kind[row] = plan.kind
        if isinstance(plan, GenericPlan):
            plan.leave(agent, self._keys, wants_number=self._whole)
        elif agent is not None:
            message = message._replace(properties=_naming(agent, message.properties))
        if agent is None:
            sink.batch.agent[row] = plan.agent
        elif not sink.batch.agent[row]:
            sink.batch.agent[row] = sink.names.known_agent(agent)
        plan.read(row, message, sink)


def _naming(agent: str, properties: Properties | None) -> Properties:
    properties = properties or Properties()
    others = tuple(pair for pair in properties.user if pair[0] != "agent")
    return properties._replace(user=(("agent", agent), *others))


def _without(body: object, taken: list[Path]) -> object:
    """What is left of an object without these places."""
    if not isinstance(body, dict):
        return None
    left = dict(body)
    for path in taken:
        at: Any = left
        for part in path[:-1]:
            inner = at[part]
            at[part] = at = inner.copy() if isinstance(inner, dict | list) else inner
        if isinstance(at, dict):
            at.pop(path[-1], None)
        elif isinstance(at, list) and isinstance(path[-1], int):
            at[path[-1]] = None
    return left
