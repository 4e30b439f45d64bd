"""Mosquitto's dynamic security: commands to `$CONTROL/<plugin>/v1`, answered as many at a time on `…/response`.

The broker passes both only to whoever asked, so that they are seen in recordings of an administrator, hardly live. They are
between a person and the broker, and nobody's of the fleet.
"""

from typing import Any

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.records import Outcome
from mqtt.reading.contract_work import as_text
from mqtt.reading.decode import read_object
from mqtt.reading.exchange import Request, Sent
from mqtt.reading.plan import Plan, Sink, Unread

_WORD = "dynsec"
MOST_COMMANDS = 1_000


class DynsecRecogniser:
    """`$CONTROL/…`."""

    uses_declarations = False

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        if levels[0] != "$CONTROL" or len(levels) < 3:
            return None
        answers = levels[-1] == "response"
        return DynsecPlan(topic, "/".join(levels[:-1] if answers else levels), answers)


class DynsecPlan:
    """Commands, or answers to them: each message is one exchange, which fails where one of its commands does."""

    kind = Kind.MESSAGE
    agent = 0

    def __init__(self, topic: int, base: str, answers: bool) -> None:
        self.topic, self._base, self._answers = topic, base, answers

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        told = read_object(message.payload).get("responses" if self._answers else "commands")
        commands: list[dict[str, Any]] = (
            [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
        )
        if not 0 < len(commands) <= MOST_COMMANDS:
            raise Unread("shape")
        if message.origin is Origin.REPLAY:
            return
        names = [as_text(one.get("command")) or "" for one in commands]
        ids = [as_text(one.get("correlationData")) or "" for one in commands]
        key = (_WORD, self._base, *names, *ids)
        sent = Sent(None, message.received_us, message.origin)
        if not self._answers:
            ids_told = ", ".join(filter(None, ids))
            sink.exchange.ask(Request(sent, 0, 0, ", ".join(names), ids_told, (key,)))
            return
        failed = any(one.get("error") is not None for one in commands)
        done = sink.exchange.answer(key, row, sent, Outcome.ERROR if failed else Outcome.OK)
        if done is not None:
            sink.batch.interactions.append(done)
