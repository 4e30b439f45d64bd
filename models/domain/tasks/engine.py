"""What becomes of delegated tasks: who gets them, what their agents say, when they are tried again, how they end.

Pure: time comes in as wall time, what is to be stored and sent goes out as `Changes`. One thread.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from models.domain.presence_words import Presence
from models.domain.problems import trouble
from models.domain.records import TaskState
from models.domain.tasks.board import Board
from models.domain.tasks.doubt import Doubts
from models.domain.tasks.orders import TaskOrder, refuse_circles, refuse_nonsense
from models.domain.tasks.placing import Placing
from models.domain.tasks.roster import Roster
from models.domain.tasks.wholes import Wholes
from models.domain.tasks.work import ENDED, Changes, Reason, Sending, Step, Told, Work, fitting

LONGEST_BACKOFF_US = 300_000_000
MOST_OPEN = 100_000
"""Tasks that have not ended: all of them are in memory."""
_WAITS_FOR_SOMEBODY = (TaskState.INPUT_REQUIRED, TaskState.AUTH_REQUIRED)


class Engine:
    """All delegated tasks that have not ended. Begins without a connection."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self._board = Board()
        self._placing = Placing(self._board, roster)
        self._wholes = Wholes(self._board, self._placing, self._end, self.cancel)
        self._doubts = Doubts(self._board, roster, self._placing, self._try_again)

    def restore(self, works: Iterable[Work], now_us: int = 0) -> None:
        """Tasks as they were stored: open ones, and of those that gather all parts. What was being sent when we ended is
        unsure until it is found in what was recorded. `now_us`: the clock may have been set back since."""
        works = sorted(works, key=lambda one: one.created_us)
        for work in works:
            if work.children and not work.ended:
                self._board.parts[work.order.id] = {}
        for work in works:
            if work.ended:
                self._board.parts.get(work.order.parent, {})[work.order.id] = work
                continue
            self._board.put(work)
            if work.sending is Sending.SENDING:
                work.sending = Sending.UNKNOWN
            if work.state is TaskState.UNKNOWN:
                continue
            if work.sending is not Sending.PLANNED:
                self.roster.worker(work.agent).holds.add(work.order.id)
            elif work.due_us:
                work.due_us = min(work.due_us, now_us + LONGEST_BACKOFF_US) if now_us else work.due_us
                self._board.wake_at(work.due_us, work)
            elif work.waits:
                self._board.unsent[work.order.id] = work
        self._placing.touched.update(self._board.parts)  # the last of them may have ended as we did

    def open_task(self, id_: str) -> Work | None:
        """None: it has ended, or was never given."""
        return self._board.open.get(id_)

    @property
    def next_us(self) -> int:
        """When `tick` has something to do; 0: never."""
        return self._board.next_us

    def changes(self) -> Changes:
        """All since the last call, to be stored and then sent."""
        self._wholes.gather_touched()
        return self._placing.take_changes()

    # ---------------------------------------------------------------- what is asked

    def submit(self, order: TaskOrder, now_us: int) -> None:
        """A new task; one that is known already is left as it is. Raises `EnvironmentProblem` task.order."""
        if self.knows(order.id):
            return
        self.refuse([order], now_us)
        work = Work(order, now_us, attempts_most=order.attempts)
        self._board.put(work)
        self._placing.note(work, now_us)
        self._placing.touched.add(order.parent)
        self._placing.place(work, now_us)

    def refuse(self, orders: Sequence[TaskOrder], now_us: int) -> None:
        """Raises `EnvironmentProblem` task.order where one of them makes no sense, alone or with the others, and task.too-many."""
        if len(self._board.open) + sum(1 + one.parts for one in orders) > MOST_OPEN:
            raise trouble("task.too-many", most=f"{MOST_OPEN:,}")
        for order in orders:
            refuse_nonsense(order, now_us)
        refuse_circles(orders, lambda id_: self._board.open[id_].order if id_ in self._board.open else None)

    def knows(self, id_: str) -> bool:
        """Is it open, or did it end lately? Any thread."""
        return id_ in self._board.open or id_ in self._board.ended

    def cancel(self, id_: str, now_us: int, reason: Reason = Reason.ASKED) -> None:
        """Its agent is asked to stop; asked a second time, or where no agent has it, it is over. Raises task.ended."""
        work = self._of(id_)
        if work.gathers and work.children:
            work.cancel_us = now_us
            for part in self._wholes.open_parts(id_):
                self.cancel(part.order.id, now_us, reason)
            self._placing.touched.add(id_)
        elif work.sending is Sending.PLANNED or work.cancel_us or not self.roster.worker(work.agent).there:
            self._end(work, TaskState.CANCELED, reason, now_us)
        else:
            work.cancel_us, work.reason = now_us, Reason.STOPPING
            self._placing.tell("cancel", work)
            self._placing.note(work, now_us, Reason.STOPPING if reason is Reason.ASKED else reason)
            self._doubts.ask_soon(work, now_us)

    def answer(self, id_: str, text: str, now_us: int) -> None:
        """What its agent asked for, as JSON text. Raises task.ended, and task.no-question where it asks for nothing."""
        work = self._of(id_)
        if work.state not in _WAITS_FOR_SOMEBODY:
            raise trouble("task.no-question", task=id_)
        self._placing.tell("answer", work, text)
        self._placing.note(work, now_us, Reason.ANSWERED, text)

    def retry(self, work: Work, parts: Iterable[Work], now_us: int) -> None:
        """Try one once more that has ended badly, or of which nobody knows whether it was sent; of one that gathers, those
        `parts` that have not completed. Raises task.runs where it is at work, or has completed."""
        if work.state is TaskState.COMPLETED or not (work.ended or work.state is TaskState.UNKNOWN):
            raise trouble("task.runs", task=work.order.id)
        self._placing.release(work, now_us)
        if work.agent:
            work.ran_at.add(work.agent)
        work.state, work.reason, work.sending = TaskState.SUBMITTED, Reason.AGAIN, Sending.PLANNED
        work.attempts_most = max(work.attempts_most, work.attempt + 1)
        work.ended_us = work.cancel_us = work.due_us = work.started_us = 0
        work.error = work.result = work.progress = None
        if work.order.deadline_us and work.order.deadline_us <= now_us:
            work.order = replace(work.order, deadline_us=0)
        if work.children:
            known = ((one.order.id, one) for one in parts)
            self._board.parts[work.order.id] = {id_: self._board.open.get(id_, one) for id_, one in known}
        self._board.put(work)
        self._placing.note(work, now_us, Reason.AGAIN)
        for part in list(self._board.parts.get(work.order.id, {}).values()):
            if part.order.id not in self._board.open and part.state is not TaskState.COMPLETED:
                self.retry(part, (), now_us)
        self._placing.touched.add(work.order.parent)
        if not work.children:
            self._placing.place(work, now_us)

    def limit(self, agent: str, most: int, now_us: int) -> None:
        """So many tasks may it have from us at a time."""
        worker = self.roster.worker(agent)
        worker.most = most
        self._placing.serve(worker, now_us)

    # ---------------------------------------------------------------- what happens

    def link_up(self, now_us: int, *, forgotten: bool = False) -> None:
        """There is a connection: what waited for one is placed. Whoever is to stop is told so again: before, it may not have
        heard it. `forgotten`: the broker lost what it kept for us."""
        if forgotten:
            self._board.doubt()
        self._placing.connected = True
        waiting, self._board.unsent = self._board.unsent, {}
        for work in waiting.values():
            if work.waits and work.order.id in self._board.open:
                self._placing.place(work, now_us)
        for work in self._board.open.values():
            if work.cancel_us and work.sending is not Sending.PLANNED:
                self._placing.tell("cancel", work)

    def link_down(self) -> None:
        """There is none: nothing is sent until `link_up`."""
        self._placing.connected = False

    def unsent(self, id_: str, attempt: int, now_us: int) -> None:
        """The message of an attempt was not sent, for certain."""
        work = self._board.open.get(id_)
        if work is None or work.attempt != attempt or work.sending is not Sending.SENDING:
            return
        if work.cancel_us:
            self._stopped(work, now_us)
            return
        self._placing.release(work, now_us)
        work.attempt -= 1
        work.sending, work.agent = Sending.PLANNED, ""
        self._placing.note(work, now_us)
        self._placing.place(work, now_us)

    def receipt(self, id_: str, attempt: int, now_us: int, *, refused: str = "", lost: bool = False) -> None:
        """What the broker said to the message of an attempt."""
        work = self._board.open.get(id_)
        if work is None or work.attempt != attempt or work.sending is not Sending.SENDING:
            return
        if refused:
            self._try_again(work, Reason.REFUSED, refused, now_us)
            return
        work.sending = Sending.UNKNOWN if lost else Sending.ACKNOWLEDGED
        self._placing.changes.works[id_] = work

    def leave_alone(self, now_us: int) -> None:
        """All open tasks are somebody else's to follow."""
        for work in list(self._board.open.values()):
            self._end(work, TaskState.UNKNOWN, Reason.ELSEWHERE, now_us)

    def settle(self, now_us: int) -> None:
        """All that the broker kept for us has been heard."""
        self._doubts.settle(now_us)

    def told(self, told: Told, now_us: int) -> None:
        """Somebody reports on a task."""
        told = fitting(told)
        work = self._board.open.get(told.task)
        if work is None:
            self._told_late(told, now_us)
        elif told.agent == work.agent and told.attempt in (0, work.attempt) and work.sending is not Sending.PLANNED:
            self._told_own(work, told, now_us)
        elif told.state is TaskState.SUBMITTED:
            pass  # our own message of an earlier attempt
        elif told.state is TaskState.COMPLETED and (told.agent in work.ran_at or told.agent == work.agent):
            self._told_by_earlier(work, told, now_us)
        elif told.state in ENDED and self._board.in_vain(told.task, told.agent, told.state):
            reason = Reason.TOO_LATE if told.agent in work.ran_at else Reason.STRANGER
            self._placing.step(work, now_us, told.state, reason, _said(told), told.agent)

    def missing(self, id_: str, agent: str, attempt: int, now_us: int) -> None:
        """An agent that was asked after an attempt does not know it."""
        work = self._board.open.get(id_)
        if work is None or (agent, attempt) != (work.agent, work.attempt) or not work.inquired:
            return
        work.inquired = False
        if work.cancel_us:
            self._stopped(work, now_us)
        else:
            self._doubts.not_there(work, now_us)

    def presence(self, agent: str, presence: Presence, now_us: int) -> None:
        """An agent came, or went; what it had is tried again elsewhere as far as it may."""
        worker = self.roster.worker(agent)
        was_there = worker.there
        worker.becomes(presence, now_us)
        if worker.there:
            self._placing.serve(worker, now_us)
        elif was_there:
            for id_ in sorted(worker.holds):
                work = self._board.open.get(id_)
                if work is None:
                    continue
                if work.cancel_us:
                    self._stopped(work, now_us)
                elif work.sending is not Sending.UNKNOWN:  # else what was recorded may yet tell
                    self._try_again(work, Reason.DIED, "", now_us)

    def meet(self, agent: str, capabilities: Iterable[str], now_us: int) -> None:
        """An agent says what it is capable of."""
        self.roster.meet(agent, capabilities)
        self._doubts.came(self.roster.worker(agent), now_us)
        self._placing.serve(self.roster.worker(agent), now_us)

    def set_back(self, by_us: int) -> None:
        """Somebody set the clock back: what is to be waited for stays as far away as it was."""
        self._placing.changes.works |= {work.order.id: work for work in self._board.set_back(by_us)}

    def tick(self, now_us: int) -> None:
        """Deadlines, those that are to be tried again by now, and those that are asked after."""
        for work in self._board.due(now_us):
            deadline_us = work.order.deadline_us
            if deadline_us and deadline_us <= now_us:
                self._late(work, now_us)
            elif work.waits and work.due_us and work.due_us <= now_us:
                work.due_us = 0
                self._placing.place(work, now_us)
            else:
                self._doubts.ask_after(work, now_us)

    def _told_own(self, work: Work, told: Told, now_us: int) -> None:
        self._doubts.heard_of(work, now_us)
        if told.state in ENDED:
            self._board.in_vain(told.task, told.agent, told.state)  # it is told as a report and as an answer
        if work.sending is not Sending.ACKNOWLEDGED:
            work.sending = Sending.ACKNOWLEDGED
            self.roster.worker(work.agent).holds.add(work.order.id)
            self._placing.changes.works[work.order.id] = work
        match told.state:
            case TaskState.UNKNOWN | TaskState.SUBMITTED:
                if work.state is TaskState.UNKNOWN and told.state is TaskState.SUBMITTED:  # found after all
                    work.state, work.reason = TaskState.SUBMITTED, Reason.NONE
                    self._placing.note(work, now_us)
            case TaskState.COMPLETED:
                self._end(work, told.state, Reason.NONE, now_us, told.result, told.error)
            case TaskState.CANCELED:
                if work.cancel_us:
                    self._stopped(work, now_us, told.error)
                else:
                    self._end(work, told.state, Reason.NONE, now_us, error=told.error)
            case TaskState.FAILED:
                self._try_again(work, Reason.FAILED, told.error or "", now_us)
            case TaskState.REJECTED:
                self._try_again(work, Reason.REJECTED, told.error or "", now_us)
            case _:
                self._goes_on(work, told, now_us)

    def _goes_on(self, work: Work, told: Told, now_us: int) -> None:
        work.started_us = work.started_us or told.time_us or now_us
        if told.progress is not None:
            work.progress = min(max(told.progress, 0.0), 1.0)
        if told.result is not None:
            work.result = told.result
        self._placing.changes.works[work.order.id] = work
        self._placing.touched.add(work.order.parent)
        if work.state is not told.state:
            work.state, work.reason = told.state, Reason.STOPPING if work.cancel_us else Reason.NONE
            self._placing.note(work, now_us, text=_said(told))

    def _told_by_earlier(self, work: Work, told: Told, now_us: int) -> None:
        """An attempt that was given up has completed after all: that counts, and the present one is not needed."""
        if work.sending is not Sending.PLANNED:
            self._placing.tell("cancel", work)
        self._placing.release(work, now_us)
        work.agent = told.agent
        self._end(work, TaskState.COMPLETED, Reason.NONE, now_us, told.result, told.error)

    def _told_late(self, told: Told, now_us: int) -> None:
        before = self._board.ended.get(told.task)
        if before is None or told.state not in ENDED or before == (told.agent, told.state):
            return  # not ours; or its end once more
        if not self._board.in_vain(told.task, told.agent, told.state):
            return
        step = Step(told.task, now_us, told.attempt, told.agent, told.state, Reason.TOO_LATE, _said(told))
        self._placing.changes.steps.append(step)

    def _try_again(self, work: Work, reason: Reason, text: str, now_us: int) -> None:
        self._placing.release(work, now_us, failed=reason in (Reason.FAILED, Reason.DIED))
        work.error = text or None
        if work.cancel_us:
            self._stopped(work, now_us, work.error)
            return
        if work.attempt >= work.attempts_most:
            state = TaskState.REJECTED if reason is Reason.REJECTED else TaskState.FAILED
            self._end(work, state, reason, now_us, error=work.error)
            return
        work.ran_at.add(work.agent)
        work.state, work.reason, work.sending = TaskState.SUBMITTED, reason, Sending.PLANNED
        work.progress = work.result = None
        wait_us = min(work.order.backoff_us << min(work.attempt - 1, 30), LONGEST_BACKOFF_US)
        work.due_us = now_us + wait_us
        self._board.wake_at(work.due_us, work)
        self._placing.note(work, now_us, reason, text)

    def _stopped(self, work: Work, now_us: int, error: str | None = None) -> None:
        """It was asked to stop, and has."""
        reason = Reason.NOT_NEEDED if work.order.parent in self._board.ended else Reason.ASKED
        self._end(work, TaskState.CANCELED, reason, now_us, error=error)

    def _late(self, work: Work, now_us: int) -> None:
        if work.gathers and work.children:
            for part in self._wholes.open_parts(work.order.id):
                self._late(part, now_us)
        elif work.sending is not Sending.PLANNED:
            self._placing.tell("cancel", work)
        if not work.ended:
            never = work.attempt == 0 and not work.children
            self._end(work, TaskState.FAILED, Reason.NOBODY if never else Reason.LATE, now_us)

    def _end(
        self, work: Work, state: TaskState, reason: Reason, now_us: int, result: str | None = None, error: str | None = None
    ) -> None:  # fmt: skip
        failed = None if state in (TaskState.CANCELED, TaskState.REJECTED) else state is TaskState.FAILED
        self._placing.release(work, now_us, failed=failed)
        work.state, work.reason, work.ended_us, work.result, work.error = state, reason, now_us, result, error
        if state is TaskState.COMPLETED:
            work.progress = 1.0
        self._board.end(work)
        self._placing.note(work, now_us, reason, error or "")
        self._placing.touched.add(work.order.parent)

    def _of(self, id_: str) -> Work:
        work = self._board.open.get(id_)
        if work is None:
            raise trouble("task.ended", task=id_)
        return work


def _said(told: Told) -> str:
    return told.error or told.result or ""
