"""Turns messages into the columns that one commit stores. No message is left out, and none stops the others."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from models.domain.batch import RecordBatch
from models.domain.clock import Clock
from models.domain.crowd import MOST_REMEMBERED
from models.domain.messages import Kind, Origin, RawMessage
from models.domain.names import Names
from models.domain.records import Declaration
from models.domain.rules import Rules
from mqtt.reading.declared_plan import DeclaredRecogniser, watched
from mqtt.reading.exchange import Exchange
from mqtt.reading.generic_reading import GenericPlan
from mqtt.reading.generic_topics import home_by_resources, levels_of
from mqtt.reading.home_made_talk import HomeMadeTalk, is_addressed
from mqtt.reading.late_names import LateNames
from mqtt.reading.other_topics import CommandPlan
from mqtt.reading.plan import Declarer, Plan, Sink, Unread
from mqtt.reading.registry import recognisers, word_of
from mqtt.reading.rule_reading import RuleRecogniser

MOST_PLANS, MOST_PLAN_BYTES = 200_000, 64 * 1024 * 1024
_QUIET_US = 10_000_000
RECALLED_AT_ONCE = 500
"""A tenth of a second, about: whoever has something else to do recalls so many in one go."""

logger = logging.getLogger(__name__)


class _Dropped(NamedTuple):
    """Plans that are outdated: of topics of which something else is declared, and of others; `all`: of whatever may depend on
    declarations."""

    declared: set[bytes]
    others: dict[bytes, Plan]
    all: bool


class Reader:
    """Reads for one workspace; keeps what it must remember between batches, bounded. One thread: the ingest thread.

    `names` is filled with new topics, agents and series. `prefix` is where our own contract's topics begin. `rules`: the user's.
    `exchange`: where somebody watches who asks and who answers.
    """

    def __init__(
        self, names: Names, prefix: str, clock: Clock, rules: Rules | None = None, exchange: Exchange | None = None
    ) -> None:
        self._names = names
        self._clock = clock
        self._sink = Sink(names, exchange)
        self._prefix = prefix.split("/")
        self._talk = HomeMadeTalk(self._prefix)
        self._conventions = recognisers(prefix, self._talk)
        self._recognisers = self._conventions
        self._guessing_from = 1 + [type(one) for one in self._conventions].index(DeclaredRecogniser)
        self._declarers = [one for one in self._conventions if isinstance(one, Declarer)]
        self._declaring: dict[bytes, tuple[Declarer, list[str]]] = {}  # topics
        self._late = LateNames(self._sink, self._conventions)
        self._is_before = False  # what is heard stood before what is stored
        self._plans: dict[bytes, Plan] = {}
        self._plan_bytes = 0  # of their topics
        self._declared: set[bytes] = set()  # topics whose plans depend on declarations
        self._revision = 0
        self._complained_us: int | None = None
        self.use_rules(rules or Rules())

    def use_rules(self, rules: Rules) -> None:
        """What the user says, from the next message on."""
        own = RuleRecogniser(rules, self._conventions)
        self._recognisers = [own, *self._conventions]
        self._unsure = {own, *self._conventions[self._guessing_from :]}
        self._rules = rules
        self._names.same = rules.same
        self._plans.clear()
        self._declaring.clear()
        self._declared.clear()
        self._plan_bytes = 0

    def declares(self, topic: bytes) -> bool:
        """Whether messages on a topic declare what others mean."""
        return self._declarer_of(levels_of(topic)) is not None

    def recall(self, messages: Sequence[RawMessage]) -> None:
        """What an earlier run remembered (`Sink.remember`), before anything else is read: nothing comes of it but that later
        messages are read as they were then. All that these messages yield is stored already."""
        self._hear_before(messages)

    def foretell(self, messages: Sequence[RawMessage]) -> dict[int, int]:
        """What is declared later on, before anything else is read, so that what comes first has its name already. Answers the
        intervals (µs) that agents declare with it."""
        declared = self._hear_before(messages)
        return {one.agent: one.interval_us for one in declared if one.interval_us is not None}

    def _hear_before(self, messages: Sequence[RawMessage]) -> list[Declaration]:
        found: list[Declaration] = []
        self._is_before = True
        for at in range(0, len(messages), RECALLED_AT_ONCE):
            try:
                some = [one._replace(origin=Origin.REPLAY) for one in messages[at : at + RECALLED_AT_ONCE]]
                found += self.read(some).declarations
            except Exception:  # whoever declared it tells most of it again; reading goes on
                logger.exception("what was declared before could not be read")
        self._is_before = False
        self._sink.declarations.forget_news()
        return found

    def read(self, messages: Sequence[RawMessage]) -> RecordBatch:
        """Everything the messages hold, in a batch of as many rows. Never raises on what they contain.

        Requests that waited too long for a reply are noticed here too, at the arrival of the last message.
        """
        count = len(messages)
        sink = self._sink
        sink.batch = batch = RecordBatch(messages, duplicate=[False] * count)
        self._look_ahead(messages, batch.columns.topic)
        self._drop_outdated_plans()
        topics, agents, kinds = batch.topic.append, batch.agent.append, batch.kind.append
        awaited = self._talk.awaited.topics
        may_talk = any(batch.columns.properties) or bool(awaited)
        for row, (message, plan) in enumerate(zip(messages, map(self._plans.get, batch.columns.topic), strict=True)):
            try:
                if plan is None:
                    topics(self._names.topic(message.topic))
                    agents(0)
                    kinds(Kind.OTHER)
                    plan = self._claim(row, message)  # noqa: PLW2901 - it has one now
                else:
                    topics(plan.topic)
                    agents(plan.agent)
                    kinds(plan.kind)
                if may_talk and (
                    message.topic in awaited or (message.properties is not None and is_addressed(message.properties))
                ):
                    free = isinstance(plan, GenericPlan | CommandPlan)  # no convention says what a request is
                    if self._talk.take_correlated(row, message, free, sink):
                        continue
                plan.read(row, message, sink)
            except Unread as failure:
                sink.unread(row, failure.reason)
            except RecursionError:
                sink.unread(row, "too-deep")
            except Exception:
                sink.unread(row, "bug")
                if self._may_complain():
                    logger.exception("reading a message on %r failed", message.topic[:200])
        if count:
            batch.interactions += sink.exchange.expire(messages[-1].received_us, count - 1)
            sink.clients.catch_up(count - 1, sink)
            sink.log_speakers.tell(batch, self._names, sink.declarations)
        batch.gaps = sink.sequences.gaps()
        batch.late += self._late.take()
        return batch

    def _look_ahead(self, messages: Sequence[RawMessage], topics: Sequence[bytes]) -> None:
        """What declares something is heard first, and new topics of a batch tell each other whose they are, whichever of them
        comes first."""
        present = set(topics)
        new = [(topic, levels_of(topic)) for topic in present.difference(self._plans)]
        for topic, levels in new:
            declarer = self._declarer_of(levels)
            if declarer is not None and len(self._declaring) < MOST_REMEMBERED:
                self._declaring[topic] = declarer, levels
        if not self._declaring.keys().isdisjoint(present):
            self._drop_outdated_plans()
            roots: set[bytes] = set()
            for message in messages:
                found = self._declaring.get(message.topic)
                if found is not None:
                    roots.add(message.topic.partition(b"/")[0])
                    with suppress(
                        Exception
                    ):  # its plan makes the same mistake when it is its turn, where that is counted
                        found[0].declare(message, found[1], self._sink)
            self._notice_late(self._drop_outdated_plans(), roots)
        for _, levels in new:
            if levels[0][:1] == "$" or levels[: len(self._prefix)] == self._prefix:
                continue
            home = home_by_resources(levels)
            if home is not None:
                self._sink.declarations.settle(tuple(levels[: home[0]]), home[1])

    def _declarer_of(self, levels: list[str]) -> Declarer | None:
        found = next((one for one in self._declarers if one.declares(levels)), None)
        return None if found is None or self._rules.ignores("/".join(levels)) else found

    def _claim(self, row: int, message: RawMessage) -> Plan:
        """The plan for a topic seen for the first time, or again after it was forgotten."""
        batch, topic = self._sink.batch, message.topic
        levels = levels_of(topic)
        for recogniser in self._recognisers:
            plan = recogniser.claim(batch.topic[row], levels, message, self._sink)
            if plan is not None:
                break
        else:
            raise LookupError("no recogniser takes every topic")
        plan = watched(plan, topic, self._sink)
        if len(self._plans) >= MOST_PLANS or self._plan_bytes >= MOST_PLAN_BYTES:
            for old in list(islice(self._plans, 1 + len(self._plans) // 10)):
                del self._plans[old]
                self._declared.discard(old)
                self._plan_bytes -= len(old)
        self._plans[topic] = plan
        self._plan_bytes += len(topic)
        if recogniser.uses_declarations:
            self._declared.add(topic)
        if recogniser in self._unsure or isinstance(plan, GenericPlan):
            self._late.guessed(topic)
        batch.agent[row], batch.kind[row] = plan.agent, plan.kind
        return plan

    def claimed_by(self, message: RawMessage) -> str:
        """Whose convention a message's topic follows, rules left aside, as `registry.word_of` says it. It is asked for a plan
        anew: for who wants an explanation, after the message was read."""
        topic = self._names.topic(message.topic)
        for recogniser in self._conventions:
            with suppress(Unread):
                if recogniser.claim(topic, levels_of(message.topic), message, self._sink) is not None:
                    return word_of(recogniser)
        return ""

    def _notice_late(self, dropped: _Dropped, roots: set[bytes]) -> None:
        """After declarations on topics of these roots."""
        self._late.declared(dropped.declared, before=self._is_before)
        some = dropped.others.items()
        self._late.outdated((one for one in some if one[0].partition(b"/")[0] in roots) if dropped.all else some)

    def _drop_outdated_plans(self) -> _Dropped:
        changed = self._sink.declared.take_changed()
        for topic in changed:
            if self._plans.pop(topic, None) is not None:
                self._declared.discard(topic)
                self._plan_bytes -= len(topic)
        declarations, outdated = self._sink.declarations, list[bytes]()
        levels = declarations.take_changed()
        every = self._revision != declarations.revision
        if every:
            self._revision = declarations.revision
            outdated = [*self._declared]
        elif levels:  # all others stay: in a large fleet somebody new comes all the time
            outdated = [topic for topic in self._declared if not levels.isdisjoint(topic.split(b"/"))]
        others = {topic: self._plans.pop(topic) for topic in outdated}
        self._plan_bytes -= sum(map(len, outdated))
        self._declared.difference_update(outdated)
        return _Dropped(changed, others, every)

    def _may_complain(self) -> bool:
        """A mistake of ours is counted each time, its traceback logged now and then: traffic must not fill the log."""
        now_us = self._clock.monotonic_us()
        if self._complained_us is not None and now_us - self._complained_us < _QUIET_US:
            return False
        self._complained_us = now_us
        return True
