"""The whole payload of a message that a list holds in part, and the message that came before it."""

from collections.abc import Callable
from dataclasses import replace

from models.domain.problems import Problem
from models.domain.queries import DataSource, Failed, MessageLine, MessageRequest, MessageResult, Result, Ticket

EVERYTHING = 1 << 30
"""More bytes than MQTT gives a payload."""


def ask_whole(
    source: DataSource,
    line: MessageLine,
    use: Callable[[MessageLine], object],
    tell: Callable[[Problem], object],
    limit: int = EVERYTHING,
) -> Ticket:
    """`use` gets the message with up to `limit` bytes of its payload, or `tell` why there is none. GUI thread."""

    def take(result: Result | Failed) -> None:
        if isinstance(result, Failed):
            tell(result.problem)
        elif isinstance(result, MessageResult) and result.rows and result.rows[0].key == line.key:
            use(result.rows[0])
        else:
            tell(Problem("message.gone"))

    # the newest message before the one that follows it is this very message
    after = line.key._replace(seq=line.key.seq + 1)
    return source.ask(MessageRequest(before=after, limit=1, payload_limit=limit), take)


def with_whole(
    source: DataSource, line: MessageLine, use: Callable[[MessageLine], object], tell: Callable[[Problem], object]
) -> None:
    """As `ask_whole`, at once where the line holds it all."""
    if len(line.payload) == line.size:
        use(line)
    else:
        ask_whole(source, line, use, tell)


def ask_before(
    source: DataSource, line: MessageLine, use: Callable[[MessageLine], object], tell: Callable[[Problem], object]
) -> Ticket:
    """`use` gets the message before this one on its topic, or `tell` that there is none. GUI thread."""

    def take(result: Result | Failed) -> None:
        if isinstance(result, Failed):
            tell(result.problem)
        elif isinstance(result, MessageResult) and result.rows:
            use(result.rows[0])
        elif isinstance(result, MessageResult) and result.reach.searched is not None:
            source.ask(replace(result.request, before=result.reach.searched), take)
        else:
            tell(Problem("message.first"))

    return source.ask(MessageRequest(topic=line.topic, before=line.key, limit=1), take)
