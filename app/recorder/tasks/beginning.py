"""The orchestrator as it was left: who is there, which tasks are open, and what was recorded of them since."""

import logging
from collections.abc import Callable

from app.recorder.log_file import Faults
from app.recorder.tasks.desk import Desk
from app.recorder.tasks.hearing import ours_of, sorted_out
from app.recorder.tasks.way_out import Way, WayOut
from models.domain.clock import Clock
from models.domain.presence_words import Presence
from models.domain.problems import EnvironmentProblem
from models.domain.tasks.engine import Engine
from models.domain.tasks.roster import Roster
from models.storage.history.store_view import StoreView
from models.storage.tasks.since import inbox_since, known_agents, reports_since
from models.storage.tasks.task_file import TaskFile
from models.storage.workspace import Workspace
from mqtt.delegating.contract import inbox_of

_LOG = logging.getLogger(__name__)
_GONE = (Presence.OFFLINE, Presence.STOPPED)


def open_desk(
    workspace: Workspace, us: str, way: Way, clock: Clock, faults: Faults, beat: Callable[[], None]
) -> Desk:  # fmt: skip
    """Before anything new is recorded; its thread is not started. Raises `EnvironmentProblem` store.*, workspace.newer."""
    file = TaskFile(workspace, us, clock)
    try:
        engine, way_out = Engine(Roster()), WayOut(way, us, clock)
        for agent, most in file.limits().items():
            engine.roster.worker(agent).most = most
        open_ = file.open_works()
        engine.restore(open_)
        if file.is_copy:
            engine.leave_alone(clock.wall_us())
        desk = Desk(file, engine, way_out, clock, faults, beat)
        try:
            _catch_up(workspace, engine, desk, us, way_out.prefix, file.heard_us)
        except EnvironmentProblem as error:  # it records all the same
            _LOG.warning("what was recorded of tasks since could not be read: %s", error)
    except BaseException:
        file.close()
        raise
    return desk


def _catch_up(workspace: Workspace, engine: Engine, desk: Desk, us: str, prefix: str, heard_us: int) -> None:
    view = StoreView(workspace)
    try:
        view.refresh()
        for agent in known_agents(view):
            engine.roster.meet(agent.name, agent.capabilities)
            worker = engine.roster.worker(agent.name)
            worker.presence = agent.presence if agent.presence in _GONE else Presence.UNKNOWN
            worker.convention, worker.group = agent.convention, agent.group
        if not heard_us:
            return  # there were no tasks yet
        told = ours_of(reports_since(view, heard_us), engine.knows)
        desk.hear(sorted_out(told, list(inbox_since(view, inbox_of(prefix, us), heard_us)), prefix, us))
    finally:
        view.close()
