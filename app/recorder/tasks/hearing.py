"""What a commit says of tasks, and of the agents that may have them."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from models.domain.batch import RecordBatch
from models.domain.messages import Origin, RawMessage
from models.domain.names import Names
from models.domain.presence_words import Presence
from models.domain.tasks.orders import TaskOrder
from models.domain.tasks.work import Told
from mqtt.delegating.attempts import attempt_of
from mqtt.delegating.contract import Missing, Refusal, Withdrawal, inbox_of, read_inbox

TOLD_EVERY_US = 5_000_000
_LOG = logging.getLogger(__name__)


class Declared(NamedTuple):
    """What an agent says of itself. `capabilities` None: nothing of those."""

    agent: str
    convention: str
    group: str
    capabilities: tuple[str, ...] | None


class Heard(NamedTuple):
    """In the order in which it was recorded. `received_us`: arrival of the last message."""

    told: Sequence[Told] = ()
    missing: Sequence[Missing] = ()
    orders: Sequence[TaskOrder] = ()
    refusals: Sequence[Refusal] = ()
    withdrawals: Sequence[Withdrawal] = ()
    presence: Sequence[tuple[str, Presence]] = ()
    declared: Sequence[Declared] = ()
    received_us: int = 0
    live: bool = False  # all that the broker kept for us has been heard before


class Ears(Protocol):
    """`desk.Desk`, as far as it is told. Any thread."""

    @property
    def in_doubt(self) -> bool: ...
    def knows(self, task: str) -> bool: ...
    def hear(self, heard: Heard) -> None: ...


class Hearing:
    """Ingest thread. `prefix`: of our contract's topics, as of now."""

    def __init__(self, names: Names, us: str, prefix: Callable[[], str], desk: Ears) -> None:
        self._names, self._us, self._prefix, self._desk = names, us, prefix, desk
        self._told_us = 0

    def stored(self, batch: RecordBatch) -> None:
        """It was committed."""
        agents = self._names.agents
        reports = [
            Told(
                agents[one.agent], one.task, one.state, one.attempt or 0, one.progress, one.result, one.error,
                batch.messages[one.row].received_us,
            )
            for one in batch.tasks
        ]  # fmt: skip
        told = ours_of(reports, self._desk.knows)
        presence = [(agents[one.agent], one.presence) for one in batch.presence]
        declared = [
            Declared(agents[one.agent], one.convention, one.group or "", one.capabilities)
            for one in batch.declarations
            if not one.irregular  # a mere name
        ]
        prefix = self._prefix()
        ours = said_to(batch.messages, prefix, self._us)
        last_us = batch.messages[-1].received_us if batch.messages else 0
        live = self._desk.in_doubt and bool(last_us) and batch.messages[-1].origin is Origin.LIVE
        silent = (
            abs(last_us - self._told_us) > TOLD_EVERY_US
        )  # how far it has heard is stored, and is read from there after a start
        if told or presence or declared or ours or live or (silent and last_us):
            self._told_us = last_us
            heard = sorted_out(told, ours, prefix, self._us)
            self._desk.hear(heard._replace(presence=presence, declared=declared, received_us=last_us, live=live))


def ours_of(reports: Iterable[Told], knows: Callable[[str], bool]) -> list[Told]:
    """Those that are of tasks of ours, also where they name an attempt as a task of its own."""
    found: list[Told] = []
    for one in reports:
        if knows(one.task):
            found.append(one)
            continue
        task, attempt = attempt_of(one.task)
        if attempt and knows(task):
            found.append(one._replace(task=task, attempt=attempt))
    return found


def said_to(messages: Sequence[RawMessage], prefix: str, us: str) -> list[RawMessage]:
    """What came into our own inbox, but for what is only told again."""
    inbox = inbox_of(prefix, us)
    return [one for one in messages if one.topic.startswith(inbox) and one.origin is not Origin.REPLAY]


def sorted_out(told: Sequence[Told], ours: Sequence[RawMessage], prefix: str, us: str) -> Heard:
    """Reports, and what our inbox holds besides: answers, orders, what is taken back."""
    answers: list[Told] = []
    missing: list[Missing] = []
    orders: list[TaskOrder] = []
    refusals: list[Refusal] = []
    withdrawals: list[Withdrawal] = []
    for message in ours:
        try:
            said = read_inbox(message, prefix, us)
        except (ValueError, TypeError, RecursionError, OverflowError) as error:
            _LOG.warning("a message to us makes no sense: %r", error)
            continue
        match said:
            case Told() as answer:
                answers.append(answer)
            case Missing() as answer:
                missing.append(answer)
            case TaskOrder() as order:
                orders.append(order)
            case Refusal() as refusal:
                refusals.append(refusal)
            case Withdrawal() as withdrawal:
                withdrawals.append(withdrawal)
    return Heard([*told, *answers], missing, orders, refusals, withdrawals)
