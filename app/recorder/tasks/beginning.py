"""The orchestrator as it was left: who is there, which tasks are open, and what was recorded of them since."""

from collections.abc import Callable

from app.recorder.log_file import Faults
from app.recorder.publisher import Way
from app.recorder.tasks.clerk import Clerk
from app.recorder.tasks.desk import Desk, Opened
from app.recorder.tasks.hearing import Heard, sorted_out
from app.recorder.tasks.way_out import WayOut
from models.domain.clock import Clock
from models.domain.presence_words import Presence
from models.domain.tasks.engine import Engine
from models.domain.tasks.roster import Roster
from models.domain.tasks.work import Told
from models.storage.history.store_view import StoreView
from models.storage.tasks.since import inbox_since, known_agents, reports_since
from models.storage.tasks.task_file import TaskFile
from models.storage.workspace import Workspace
from mqtt.delegating.contract import inbox_of

_GONE = (Presence.OFFLINE, Presence.STOPPED)
_THERE = (Presence.ONLINE, Presence.LATE)


def desk_of(workspace: Workspace, us: str, way: Way, clock: Clock, faults: Faults, beat: Callable[[], None]) -> Desk:
    """Its thread is not started. Whatever is the matter with the file, recording goes on."""
    way_out = WayOut(way, us, clock)
    return Desk(lambda: open_file(workspace, us, way_out, clock, faults), way_out, clock, faults, beat)


def open_file(workspace: Workspace, us: str, way_out: WayOut, clock: Clock, faults: Faults) -> Opened:
    """All that was recorded so far is known to the clerk; what is recorded meanwhile has to be told to it afterwards. Raises
    `EnvironmentProblem` store.*, workspace.newer."""
    file = TaskFile(workspace, us, clock)
    try:
        engine = Engine(Roster())
        for agent, most in file.limits().items():
            engine.roster.worker(agent).most = most
        engine.restore(file.open_works(), clock.wall_us())
        if file.is_copy:
            engine.leave_alone(clock.wall_us())
        clerk = Clerk(file, engine, way_out, clock, faults)
        try:
            _catch_up(workspace, clerk, us, way_out.prefix, file.heard_us, clock.wall_us())
        except Exception:  # noqa: BLE001 - it gives tasks all the same; logged and counted
            faults.note("what was recorded of tasks since could not be read")
    except BaseException:
        file.close()
        raise
    return Opened(file, clerk)


def _catch_up(workspace: Workspace, clerk: Clerk, us: str, prefix: str, heard_us: int, now_us: int) -> None:
    roster = clerk.engine.roster
    view = StoreView(workspace)
    try:
        view.refresh()
        known = known_agents(view)
        for agent in known:
            roster.meet(agent.name, agent.capabilities)
            worker = roster.worker(agent.name)
            worker.online_us = heard_us if agent.presence in _THERE else 0
            worker.convention, worker.group = agent.convention, agent.group
        if heard_us:  # else there were no tasks yet
            inbox = list(inbox_since(view, inbox_of(prefix, us), heard_us))
            heard = sorted_out(reports_since(view, heard_us), inbox, prefix, us)
            clerk.hear(_news(heard, clerk.engine), now_us)
    finally:
        view.close()
    for agent in known:
        if agent.presence in _GONE:  # what it had, and did not end before, is tried again elsewhere
            clerk.engine.presence(agent.name, agent.presence, now_us)


def _news(heard: Heard, engine: Engine) -> Heard:
    """Without what was told before the present attempt was sent, where it does not say of which it speaks: it was heard then."""

    def is_new(told: Told) -> bool:
        work = engine.open_task(told.task)
        return work is None or bool(told.attempt) or told.time_us >= work.sent_us

    return heard._replace(told=[one for one in heard.told if is_new(one)])
