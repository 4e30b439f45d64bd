"""What is asked and what is heard, put to the engine. One thread: that of `desk.Desk`, which stores and sends what comes of it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from app.recorder.log_file import Faults
from app.recorder.tasks.commanding import Commanding
from app.recorder.tasks.hearing import Declared, Heard, ours_of
from app.recorder.tasks.way_out import SendingOutcome, WayOut
from models.domain.clock import Clock
from models.domain.presence_words import Presence
from models.domain.problems import EnvironmentProblem, trouble
from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.engine import Engine
from models.domain.tasks.orders import TaskOrder
from models.domain.tasks.work import Told
from models.storage.keeping.retention import STEADY_CLOCK_US
from models.storage.tasks.task_file import TaskFile
from mqtt.delegating.contract import Missing, Refusal, Withdrawal

BACKLOG_US = 10_000_000
"""What the broker kept for us has come by then, our own messages among it, even where nothing live comes after it."""
STEP_US = 2_000_000
"""The wall clock went by more than this from the other one: it was set."""


class Clerk:
    """`heard_us`: arrival of the last message that was taken in."""

    def __init__(self, file: TaskFile, engine: Engine, way_out: WayOut, clock: Clock, faults: Faults) -> None:
        self._file, self.engine, self._way_out, self._clock, self._faults = file, engine, way_out, clock, faults
        self.commanding = Commanding(file, way_out, clock.wall_us())
        self._unsure_since_us = clock.monotonic_us()  # 0: nothing is in doubt
        self._link_us = 0  # wall time of the connection that is known of; 0: none
        self._lost_us = 0  # wall time at which a connection broke while something was being sent
        self._offset_us = clock.wall_us() - clock.monotonic_us()
        self._steady_since_us = clock.monotonic_us()  # when the clock was last set
        self.heard_us = file.heard_us or clock.wall_us()

    # ---------------------------------------------------------------- what is asked

    def submit(self, orders: Sequence[TaskOrder], now_us: int) -> None:
        """All or none; those that are known already are left as they are."""
        self._refuse_us(to for one in orders for to in one.to)
        known = self._file.known([one.id for one in orders])
        new = [one for one in orders if one.id not in known]
        self.engine.refuse(new, now_us)
        for order in new:
            self.engine.submit(order, now_us)

    def cancel(self, task: str, now_us: int) -> None:
        self.engine.cancel(self._open(task), now_us)

    def answer(self, task: str, text: str, now_us: int) -> None:
        """Raises also publish.not-connected: then its agent was not told."""
        if not self._way_out.connected_since_us:
            raise trouble("publish.not-connected")
        self.engine.answer(self._open(task), text, now_us)

    def retry(self, task: str, now_us: int) -> None:
        work = self.engine.open_task(task) or self._file.work(task)
        if work is None:
            raise trouble("task.unknown", task=task)
        whole = self._file.work(work.order.parent) if work.order.parent else None
        if whole is not None and whole.children and whole.ended:
            work = whole  # a part alone could not mend the result
        self.engine.retry(work, self._file.parts(work.order.id) if work.children else (), now_us)

    def limit(self, agent: str, most: int, now_us: int) -> None:
        self._file.limit(agent, most)
        self.engine.limit(agent, most, now_us)

    def command(self, command: AgentCommand, told: Callable[[SendingOutcome], None], now_us: int) -> None:
        self._refuse_us((command.agent,))
        self.commanding.give(command, now_us, told)

    def _refuse_us(self, agents: Iterable[str]) -> None:
        if self._way_out.us in agents:
            raise trouble("task.order", detail=f"{self._way_out.us} is who gives tasks, and takes none")

    def _open(self, task: str) -> str:
        if self.engine.open_task(task) is None:
            raise trouble("task.ended" if self._file.work(task) is not None else "task.unknown", task=task)
        return task

    # ---------------------------------------------------------------- what happens

    @property
    def clock_is_steady(self) -> bool:
        """May what is old be told by it?"""
        return self._clock.monotonic_us() - self._steady_since_us >= STEADY_CLOCK_US

    @property
    def in_doubt(self) -> bool:
        """May something have been sent of which nobody knows, until what the broker kept for us has been heard? Any thread."""
        return bool(self._unsure_since_us and self._link_us)

    def look(self, now_us: int) -> None:
        """The clock that was set; a connection that came or went; what is in doubt once all has been heard; what is due."""
        offset_us = self._clock.wall_us() - self._clock.monotonic_us()
        if abs(self._offset_us - offset_us) > STEP_US:
            self._steady_since_us = self._clock.monotonic_us()
        if self._offset_us - offset_us > STEP_US:
            self.engine.set_back(self._offset_us - offset_us)
        self._offset_us = offset_us
        link_us = self._way_out.connected_since_us
        if link_us != self._link_us:
            self._link_us = link_us
            if link_us:
                self._unsure_since_us = self._clock.monotonic_us()
                self.engine.link_up(now_us, forgotten=self._way_out.was_forgotten)
            else:
                self.engine.link_down()
        if self.in_doubt and self._clock.monotonic_us() - self._unsure_since_us >= BACKLOG_US:
            self._settle(now_us)
        self.engine.tick(now_us)

    def take_receipt(self, task: str, attempt: int, receipt: SendingOutcome, at_us: int, now_us: int) -> None:
        """What the broker said to the message of an attempt, at `at_us`."""
        if receipt.unsent:
            self.engine.link_down()
            self._link_us = 0
            self.engine.unsent(task, attempt, now_us)
            return
        if receipt.lost:
            self._unsure_since_us, self._lost_us = self._clock.monotonic_us(), at_us
        self.engine.receipt(task, attempt, now_us, refused=receipt.refused, lost=receipt.lost)

    def hear(self, heard: Heard, now_us: int) -> None:
        """A commit. One that cannot be taken in costs the others nothing."""
        self._each(heard.declared, self._declared, now_us)
        self._each(heard.told, self._told, now_us)
        self._each(heard.missing, self._missing, now_us)
        self._each(heard.presence, self._presence, now_us)
        self._each(heard.orders, self._ordered, now_us)
        self._each(heard.refusals, self._refused, now_us)
        self._each(heard.withdrawals, self._withdrawn, now_us)
        self.heard_us = heard.received_us or self.heard_us  # not the latest: the clock may have been set back
        if heard.live and self.in_doubt and heard.received_us > self._link_us > self._lost_us:
            self._settle(now_us)

    def _settle(self, now_us: int) -> None:
        self._unsure_since_us = 0
        self.engine.settle(now_us)

    def _each(self, found: Iterable[Any], take: Callable[[Any, int], None], now_us: int) -> None:
        for one in found:
            try:
                take(one, now_us)
            except Exception:  # noqa: BLE001 - it would come again with every start; it is logged and counted
                self._faults.note("what was recorded of a task could not be taken in")

    def _declared(self, one: Declared, now_us: int) -> None:
        worker = self.engine.roster.worker(one.agent)
        worker.convention, worker.group = one.convention, one.group or worker.group
        if one.capabilities is not None:
            self.engine.meet(one.agent, one.capabilities, now_us)

    def _told(self, told: Told, now_us: int) -> None:
        if self.commanding.knows(told.task):
            self.commanding.told(told, now_us)
        else:
            for one in ours_of((told,), self.engine.knows):
                self.engine.told(one, now_us)

    def _missing(self, one: Missing, now_us: int) -> None:
        self.engine.missing(one.task, one.agent, one.attempt, now_us)

    def _presence(self, one: tuple[str, Presence], now_us: int) -> None:
        self.engine.presence(*one, now_us)

    def _ordered(self, order: TaskOrder, now_us: int) -> None:
        try:
            before = self.engine.open_task(order.id) or self._file.work(order.id)
            if before is None:
                self.submit([order], now_us)
            elif before.order.requester != order.requester:
                self._way_out.refuse(order, "somebody else gave a task with this id")
            elif before.ended:
                self._way_out.tell_end(before)  # it may not have heard
        except EnvironmentProblem as error:
            self._way_out.refuse(order, str(error))

    def _refused(self, refusal: Refusal, _now_us: int) -> None:
        self._way_out.tell_refusal(refusal)

    def _withdrawn(self, one: Withdrawal, now_us: int) -> None:
        work = self.engine.open_task(one.task)
        if work is not None and work.order.requester == one.sender and not work.cancel_us:
            self.engine.cancel(one.task, now_us)
