"""Who says what at which second of the story."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from app.simulation.fleet import SimulatedFleet
from mqtt.bulk_publisher import Outgoing

LOOP_S = 240.0
SLOW_S, BROKEN_S, DEATH_S, RETURN_S = 10.0, 45.0, 100.0, 160.0
_ARCHIVE = "archive.example:443"
_RESET = """Traceback (most recent call last):
  File "/opt/fleet/crawler/work.py", line 212, in fetch
    page = self._archive.get(url, timeout=8.0)
  File "/opt/fleet/crawler/archive.py", line 88, in get
    raise ConnectionResetError(104, "Connection reset by peer")
ConnectionResetError: [Errno 104] Connection reset by peer"""
_MEMORY = """Traceback (most recent call last):
  File "/opt/fleet/crawler/main.py", line 41, in run
    worker.step()
  File "/opt/fleet/crawler/work.py", line 190, in step
    self._cache[url] = bytearray(page.size)
MemoryError"""


class Cast(NamedTuple):
    """Places in the fleet's `ids`: who falls ill, who gives out the work, who takes it over; and the tasks: four to begin
    with, the last one after the return."""

    ill: int
    planner: int
    helpers: tuple[int, ...]
    tasks: tuple[str, ...]


class Lives(NamedTuple):
    """From now on the agent needs a connection of its own, with a will."""

    agent: int


class Dies(NamedTuple):
    """The process of this agent is gone, without a goodbye."""

    agent: int


Event = Outgoing | Lives | Dies
Tell = Callable[[SimulatedFleet, Cast, float], Iterator[Event]]


class Beat(NamedTuple):
    second: float
    tell: Tell


def _give(fleet: SimulatedFleet, cast: Cast, to: int, task: str, now_s: float) -> Outgoing:
    body = {"task": task, "type": "fetch", "input": {"source": f"archive/{task[-2:]}", "pages": 400}}
    return fleet.say(cast.planner, to, now_s, id=f"{task}-for-{fleet.ids[to]}", type="task", body=body)


def _works(fleet: SimulatedFleet, who: int, task: str, now_s: float, state: str, **more: object) -> Outgoing:
    return fleet.task(who, now_s, task=task, type="fetch", state=state, **more)


def _begins(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
    yield Lives(cast.ill)
    yield fleet.turn(cast.ill, now_s, "online")
    for task in cast.tasks[:4]:
        yield _give(fleet, cast, cast.ill, task, now_s)
        yield _works(fleet, cast.ill, task, now_s, "working", attempt=1, progress=0.0)
    text = f"took four tasks from {fleet.ids[cast.planner]}"
    yield fleet.log(cast.ill, now_s, "info", text, logger="crawler.work", tasks=4)


def _is_slow(duration_s: float, queue: int) -> Tell:
    def tell(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
        text = f"a page of the archive took {duration_s:g} s, 0.1 s is usual"
        more = {"logger": "crawler.archive", "duration_s": duration_s, "queue": queue}
        yield fleet.log(cast.ill, now_s, "warn", text, **more)

    return tell


def _asks(question: str) -> Tell:
    def tell(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
        id_ = f"{cast.tasks[0]}-{question[:8]}"
        yield fleet.say(cast.planner, cast.ill, now_s, id=id_, type="ask", body={"question": question})

    return tell


def _answers(question: str, answer: str) -> Tell:
    def tell(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
        id_ = f"{cast.tasks[0]}-{question[:8]}"
        body = {"id": f"{id_}-r", "reply_to": id_, "type": "answer", "body": {"answer": answer}}
        yield fleet.say(cast.ill, cast.planner, now_s, **body)

    return tell


def _is_degraded(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
    yield fleet.turn(cast.ill, now_s, "degraded")
    text = "the queue holds 37 pages, 5 are usual: degraded"
    yield fleet.log(cast.ill, now_s, "warn", text, logger="crawler.work", queue=37)
    for task in cast.tasks[:4]:
        yield _works(fleet, cast.ill, task, now_s, "working", attempt=1, progress=0.3)


def _fails_to_connect(attempt: int, outcome: str, error: str) -> Tell:
    def tell(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
        duration_s = 8.0 if outcome == "timeout" else 0.04
        yield fleet.connection(cast.ill, now_s, target=_ARCHIVE, outcome=outcome, error=error, duration_s=duration_s)
        text = f"no connection to the archive ({error}), attempt {attempt}"
        more: dict[str, object] = {"stack": _RESET} if outcome == "error" else {}
        yield fleet.log(cast.ill, now_s, "error", text, logger="crawler.archive", error=error, attempt=attempt, **more)

    return tell


def _fails_a_task(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
    error = "the archive did not answer three times"
    yield _works(fleet, cast.ill, cast.tasks[0], now_s, "failed", attempt=1, error=error)
    text = f"gave {cast.tasks[0]} up: {error}"
    yield fleet.log(cast.ill, now_s, "error", text, logger="crawler.work", task=cast.tasks[0])


def _runs_out_of_memory(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
    text = "memory is nearly used up and the cache does not shrink"
    yield fleet.log(cast.ill, now_s, "error", text, logger="crawler.cache")


def _dies(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
    more = {"logger": "crawler.main", "error": "MemoryError", "stack": _MEMORY}
    yield fleet.log(cast.ill, now_s, "fatal", "out of memory", **more)
    fleet.absent[cast.ill] = True
    yield Dies(cast.ill)


def _is_missed(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
    text = f"{fleet.ids[cast.ill]} is offline; its three tasks go to others"
    yield fleet.log(cast.planner, now_s, "warn", text, logger="planner.work", agent_lost=fleet.ids[cast.ill])


def _hands_over(number: int) -> Tell:
    def tell(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
        helper, task = cast.helpers[number], cast.tasks[number + 1]
        yield _give(fleet, cast, helper, task, now_s)
        yield _works(fleet, helper, task, now_s, "working", attempt=2, progress=0.3)
        text = f"took {task} over from {fleet.ids[cast.ill]}, attempt 2"
        yield fleet.log(helper, now_s, "info", text, logger="crawler.work", task=task, attempt=2)

    return tell


def _completes(number: int) -> Tell:
    def tell(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
        helper, task = cast.helpers[number], cast.tasks[number + 1]
        yield _works(fleet, helper, task, now_s, "completed", attempt=2, progress=1.0, result="400 pages")

    return tell


def _returns(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
    fleet.absent[cast.ill] = False
    fleet.start_anew(cast.ill)
    yield Lives(cast.ill)
    yield fleet.turn(cast.ill, now_s, "starting")
    yield fleet.log(cast.ill, now_s, "info", "started again by the supervisor", logger="crawler.main")


def _is_well(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
    yield fleet.turn(cast.ill, now_s, "online")
    yield fleet.connection(cast.ill, now_s, target=_ARCHIVE, outcome="ok", duration_s=0.03)
    yield fleet.log(cast.ill, now_s, "info", "the archive answers in 0.1 s again", logger="crawler.archive")
    yield from fleet.give_up(cast.ill, now_s, "the process ended")
    for helper, task in zip(cast.helpers, cast.tasks[1:], strict=False):
        error = f"taken over by {fleet.ids[helper]}"
        yield _works(fleet, cast.ill, task, now_s, "canceled", attempt=1, error=error)


def _works_again(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
    yield _give(fleet, cast, cast.ill, cast.tasks[4], now_s)
    yield _works(fleet, cast.ill, cast.tasks[4], now_s, "working", attempt=1, progress=0.0)


def _has_worked(fleet: SimulatedFleet, cast: Cast, now_s: float) -> Iterator[Event]:
    yield _works(fleet, cast.ill, cast.tasks[4], now_s, "completed", attempt=1, progress=1.0, result="400 pages")


_FAR, _THERE, _FIT = "how far are you?", "are you still there?", "are you well again?"
SCRIPT: tuple[Beat, ...] = (
    Beat(0, _begins),
    Beat(SLOW_S + 4, _is_slow(0.4, 9)),
    Beat(SLOW_S + 11, _is_slow(0.8, 21)),
    Beat(28, _asks(_FAR)),
    Beat(31, _answers(_FAR, "a third; the archive answers slowly")),
    Beat(33, _is_slow(1.1, 30)),
    Beat(38, _is_degraded),
    Beat(BROKEN_S + 3, _fails_to_connect(1, "timeout", "timed out")),
    Beat(54, _fails_to_connect(2, "error", "ConnectionResetError")),
    Beat(60, _fails_to_connect(3, "refused", "connection refused")),
    Beat(62, _fails_a_task),
    Beat(70, _fails_to_connect(1, "error", "ConnectionResetError")),
    Beat(76, _asks(_THERE)),  # no answer comes
    Beat(80, _fails_to_connect(2, "timeout", "timed out")),
    Beat(88, _fails_to_connect(3, "error", "ConnectionResetError")),
    Beat(92, _runs_out_of_memory),
    Beat(DEATH_S, _dies),
    Beat(104, _is_missed),
    Beat(106, _hands_over(0)),
    Beat(107, _hands_over(1)),
    Beat(108, _hands_over(2)),
    Beat(122, _completes(0)),
    Beat(130, _completes(1)),
    Beat(141, _completes(2)),
    Beat(RETURN_S, _returns),
    Beat(164, _is_well),
    Beat(168, _asks(_FIT)),
    Beat(169, _answers(_FIT, "yes, and ready for work")),
    Beat(172, _works_again),
    Beat(200, _has_worked),
)
"""In order of the seconds."""
