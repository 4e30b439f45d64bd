"""The orchestrator's desk without its thread, without a broker and on a clock of the test's: turns are taken by hand."""

from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

from app.recorder.broker_link import LinkView
from app.recorder.log_file import Faults
from app.recorder.tasks.clerk import Clerk
from app.recorder.tasks.desk import Desk, Opened
from app.recorder.tasks.hearing import Heard
from app.recorder.tasks.way_out import WayOut
from models.domain.control import Link
from models.domain.presence_words import Presence
from models.domain.problems import trouble
from models.domain.tasks.engine import Engine
from models.domain.tasks.orders import TaskOrder
from models.domain.tasks.roster import Roster
from models.domain.tasks.work import Told
from models.storage.tasks.reading import TaskReading
from models.storage.tasks.task_file import TaskFile
from mqtt.outgoing import Receipt
from tests.helpers.poll import until

S = 1_000_000


class Way:
    """Stands for the link. `sent`: messages with the future that the broker's answer is put into."""

    def __init__(self, clock):
        self._clock = clock
        self.connection = None
        self.view = LinkView(Link.CONNECTED, since_us=clock.wall_us())
        self.sent = []
        self.on_publish = lambda _message: None

    def publish(self, message):
        self.on_publish(message)
        if self.view.link is not Link.CONNECTED:
            raise trouble("publish.not-connected")
        answer = Future()
        self.sent.append((message, answer))
        return answer

    def up(self, *, session_lost=False):
        self.view = LinkView(Link.CONNECTED, since_us=self._clock.wall_us(), session_lost=session_lost)

    def down(self):
        self.view = LinkView(Link.WAITING)

    def topics(self):
        return [message.topic for message, _ in self.sent]

    def acknowledge(self):
        for _, answer in self.sent:
            if not answer.done():
                answer.set_result(Receipt(0, ""))

    def lose(self):
        for _, answer in self.sent:
            if not answer.done():
                answer.set_exception(trouble("broker.lost", host="h", detail="it broke"))


class DeskLife:
    """One life of a desk on a workspace; `Way` is given on from life to life."""

    def __init__(self, workspace, clock, way=None):
        self.workspace, self.clock, self.way = workspace, clock, way or Way(clock)
        self.faults = Faults()
        self.opening = self._open_file
        self.desk = Desk(self._begin, WayOut(self.way, "us", clock), clock, self.faults, lambda: None)
        self._pool = ThreadPoolExecutor(4)

    def _begin(self):
        return self.opening()  # as the test has it by then

    def _open_file(self):
        file = TaskFile(self.workspace, "us", self.clock)
        engine = Engine(Roster())
        engine.restore(file.open_works())
        return Opened(file, Clerk(file, engine, WayOut(self.way, "us", self.clock), self.clock, self.faults))

    def begin(self):
        assert self.desk._open()
        self.turn()
        return self

    @property
    def opened(self):
        return self.desk._opened

    def turn(self):
        self.desk.turn(self.opened, 0)
        while not self.desk._requests.empty():
            self.desk.turn(self.opened, 0)

    def ask(self, what, *arguments):
        """Somebody asks and waits for the answer; the turn has yet to be taken."""
        before = self.desk._requests.qsize()
        asked = self._pool.submit(getattr(self.desk, what), *arguments, 60.0)
        until(lambda: asked.done() or self.desk._requests.qsize() > before, "it is asked")
        return asked

    def give(self, id_="t", type_="sum", **fields):
        asked = self.ask("submit", [TaskOrder(id_, type_, **{"to": ("a",), **fields})])
        self.turn()
        asked.result(0 if asked.done() else 5)
        return self.opened.clerk.engine.open_task(id_)

    def hear(self, *told, **more):
        fields = {"received_us": self.clock.wall_us(), **more}
        self.desk.hear(Heard(told, **fields))
        self.turn()

    def tells(self, state, task="t", agent="a", **more):
        self.hear(Told(agent, task, state, time_us=self.clock.wall_us(), **more))

    def come(self, *agents, capability="sum"):
        declared = [SimpleNamespace(agent=one, convention="", group="", capabilities=(capability,)) for one in agents]
        self.hear(declared=declared, presence=[(one, Presence.ONLINE) for one in agents])

    def all_heard(self):
        """Something live came after what the broker had kept."""
        self.clock.advance(1)
        self.hear(live=True)

    def later(self, us):
        self.clock.advance(us)
        self.turn()

    def stored(self, id_="t"):
        with TaskReading(self.workspace) as reading:
            return reading.work(id_)

    def reasons(self, id_="t"):
        with TaskReading(self.workspace) as reading:
            return [one.reason for one in reading.steps(id_)]

    def end(self):
        """As a kill would: nothing more is stored or sent."""
        if self.opened is not None:
            self.opened.file.close()
        self._pool.shutdown(wait=False, cancel_futures=True)
