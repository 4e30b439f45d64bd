"""Topics that are stored and never read as an agent's figures: the broker's own, attributes, discovery, commands."""

from models.domain.messages import Kind, RawMessage
from mqtt.reading.decode import read_object
from mqtt.reading.home_made_talk import HomeMadeTalk, talk_keys
from mqtt.reading.plan import Plan, Sink, Unread

_COMMANDS = frozenset(("set", "get", "command", "cmd", "cmnd", "config"))
_READ_ATTRIBUTES = frozenset(("$state", "$log"))


class OtherPlan:
    """Stored as it is."""

    kind = Kind.OTHER
    agent = 0

    def __init__(self, topic: int) -> None:
        self.topic = topic

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        """Nothing is derived, and that is no failure."""


class CommandPlan(OtherPlan):
    """A topic of commands: they may be requests."""

    def __init__(self, topic: int, levels: list[str], talk: HomeMadeTalk) -> None:
        super().__init__(topic)
        self._talk, self._talk_keys = talk, talk_keys(levels)

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        """A command that is none is no failure."""
        if message.payload[:1] == b"{":
            try:
                body = read_object(message.payload)
            except Unread:
                return
            if not self._talk_keys.isdisjoint(body):
                self._talk.take_object(row, message, body, False, sink)


class NobodyPlan(OtherPlan):
    """A topic that does not tell whose it is: only a rule can."""

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:  # noqa: ARG002
        """Count it as such."""
        raise Unread("nobody")


class OtherRecogniser:
    """`$SYS/…` and other `$` roots, `$` levels other than `$state` and `$log`, `…/set`, `…/config`, `cmnd/…`: a command
    to an agent is no sign of its life."""

    uses_declarations = False

    def __init__(self, talk: HomeMadeTalk) -> None:
        self._talk = talk

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        attribute = any(level[:1] == "$" and level not in _READ_ATTRIBUTES and "=" not in level for level in levels)
        root = levels[0][:1] == "$"
        command = levels[0].casefold() == "cmnd" or (len(levels) > 1 and levels[-1].casefold() in _COMMANDS)
        if command and not root:
            return CommandPlan(topic, levels, self._talk)
        return OtherPlan(topic) if root or attribute else None
