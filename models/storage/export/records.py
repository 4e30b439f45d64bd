"""Datasets whose rows stand in the segments one by one: logs, interactions, connections."""

from collections.abc import Iterator

from models.domain.records import Level, Outcome
from models.storage.export.scope import Block, Scope
from models.storage.segments.open_segment import OpenSegment


def read_logs(scope: Scope, opened: OpenSegment) -> Iterator[Block]:
    """By arrival."""
    words = {int(level): level.name.lower() for level in Level}
    columns = "received_us, time_us, agent_id, level, logger, text, error, stack, attributes"
    for page in scope.rows(opened, "log", columns, sizes=(5, 7, 8)):
        rows = [
            (at, received, opened.agent(agent) or None, words[level], *texts)
            for received, at, agent, level, *texts, _ in page
        ]
        yield Block([row[0] for row in page], scope.shape.lines(rows), page[-1][-1])


def read_interactions(scope: Scope, opened: OpenSegment) -> Iterator[Block]:
    """By arrival of what completed them."""
    words = _outcomes()
    columns = "received_us, time_us, from_id, to_id, kind, exchange, reply_us, outcome"
    for page in scope.rows(opened, "interaction", columns, agents=("from_id", "to_id")):
        rows = [
            (
                at,
                opened.agent(sender) or None,
                opened.agent(receiver) or None,
                kind,
                id_,
                milliseconds(reply),
                words[outcome],
            )
            for _, at, sender, receiver, kind, id_, reply, outcome, _ in page
        ]
        yield Block([row[0] for row in page], scope.shape.lines(rows), page[-1][-1])


def read_connections(scope: Scope, opened: OpenSegment) -> Iterator[Block]:
    """By arrival."""
    words = _outcomes()
    for page in scope.rows(opened, "attempt", "received_us, time_us, agent_id, outcome, error, duration_us, target"):
        rows = [
            (at, opened.agent(agent) or None, words[outcome], error, milliseconds(duration), target)
            for _, at, agent, outcome, error, duration, target, _ in page
        ]
        yield Block([row[0] for row in page], scope.shape.lines(rows), page[-1][-1])


def milliseconds(us: int | None) -> float | None:
    """Exact to the microsecond, as text has it."""
    return None if us is None else us / 1_000


def _outcomes() -> dict[int, str]:
    return {int(outcome): outcome.name.lower() for outcome in Outcome}
