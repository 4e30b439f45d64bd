"""Answers every question of `models.domain.queries` from the files of a workspace, read-only."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import apsw

from models.domain.annotations import AnnotationsRequest
from models.domain.clock import Clock, SystemClock
from models.domain.heat_queries import HeatRequest
from models.domain.problems import trouble
from models.domain.pulse_figures import PulseRequest
from models.domain.queries import (
    AgentRequest,
    AgentResult,
    Cancelled,
    CancelToken,
    CommandsRequest,
    EventsRequest,
    FieldRequest,
    FleetRequest,
    FlowRequest,
    GapsRequest,
    GapsResult,
    LogRequest,
    LogSummaryRequest,
    MessageRequest,
    NamesRequest,
    NamesResult,
    RelatedRequest,
    Request,
    Result,
    RetentionRequest,
    SeriesInfo,
    SeriesRequest,
    StoreRequest,
    TalkRequest,
    TaskRequest,
    TasksRequest,
    TaskStoryRequest,
    TopicsRequest,
    UnreadableRequest,
)
from models.domain.series_names import SeriesNamesRequest
from models.storage.history.agent_names import names_of_agents
from models.storage.history.annotations import answer_annotations
from models.storage.history.events import answer_events
from models.storage.history.field_values import answer_field
from models.storage.history.fleet import FleetHistory
from models.storage.history.flow import FlowHistory, answer_talk
from models.storage.history.gaps import gaps_between
from models.storage.history.heat import answer_heat
from models.storage.history.holdings import StoreHistory
from models.storage.history.hours import hours_of
from models.storage.history.kinds import answer_retention
from models.storage.history.log_lists import answer_logs
from models.storage.history.log_summary import answer_log_summary
from models.storage.history.message_lists import answer_messages
from models.storage.history.pulse_figures import answer_pulses
from models.storage.history.related_messages import answer_related
from models.storage.history.series import answer_series
from models.storage.history.series_names import answer_series_names
from models.storage.history.store_view import StoreView
from models.storage.history.task_board import answer_commands, answer_task_board, answer_task_story
from models.storage.history.tasks import answer_tasks
from models.storage.history.topics import answer_topics
from models.storage.history.unreadable_topics import answer_unreadable
from models.storage.names_table import SERIES_KEY, series_key
from models.storage.segments.open_segment import DAMAGE, fetch
from models.storage.workspace import Workspace

HEADLINES = ("cpu", "memory", "response", "attempts", "successes", "errors")


class HistoryReader:
    """History of one workspace. One instance belongs to one thread; only `interrupt` may come from another.

    It works while a recorder writes, holds no read transaction for long, and skips what is damaged.
    """

    def __init__(
        self, workspace: Workspace, clock: Clock | None = None, fleet: FleetHistory | None = None,
        flow: FlowHistory | None = None,
    ) -> None:  # fmt: skip
        """`fleet`, `flow`: where several readers of the workspace share them."""
        self._workspace = workspace
        self._clock = clock or SystemClock()
        self._view: StoreView | None = None
        self._fleet = fleet or FleetHistory(self._clock)
        self._store, self._flow = StoreHistory(), flow or FlowHistory()

    def answer(self, request: Request, token: CancelToken) -> Iterator[Result]:
        """One result, or several of rising completeness.

        Raises `Cancelled`, `EnvironmentProblem` workspace.missing, workspace.newer, store.corrupt, store.io.
        """
        try:
            if self._view is None:
                self._view = StoreView(self._workspace)
            self._view.refresh()
            yield from self._answer(self._view, request, token)
        except apsw.InterruptError as error:
            raise Cancelled from error
        except DAMAGE as error:  # of the catalogue: segments are read with care of their own
            raise trouble("store.io", path=str(self._workspace.catalogue), detail=str(error)) from error

    def _answer(self, view: StoreView, request: Request, token: CancelToken) -> Iterator[Result]:
        token.check()
        match request:
            case FleetRequest() | FlowRequest():
                yield from self._remembered(view, request, token)
            case SeriesRequest():
                hours = hours_of(view, request)
                for page in answer_series(view, request, self._clock.wall_us(), token):
                    yield dataclasses.replace(page, hours=hours)
            case HeatRequest() | PulseRequest():
                yield from _in_steps(view, request, self._clock.wall_us(), token)
            case EventsRequest():
                yield from answer_events(view, request, self._clock.wall_us(), token)
            case LogRequest() | LogSummaryRequest() | MessageRequest() | FieldRequest() | RelatedRequest():
                yield from _of_rows(view, request, token)
            case AnnotationsRequest():
                yield answer_annotations(view, request)
            case TopicsRequest():
                yield from answer_topics(view, request, token)
            case TaskRequest() | TalkRequest() | TasksRequest() | TaskStoryRequest() | CommandsRequest():
                yield from _of_tasks(view, request, token)
            case AgentRequest() | NamesRequest() | SeriesNamesRequest():
                yield _about_agents(view, request, token)
            case StoreRequest() | RetentionRequest() | GapsRequest() | UnreadableRequest():
                yield self._about_store(view, request, token)

    def _remembered(self, view: StoreView, request: FleetRequest | FlowRequest, token: CancelToken) -> Iterator[Result]:
        """What costs only what is new, as all readers of the workspace share what they read."""
        match request:
            case FleetRequest():
                yield from self._fleet.answer(view, request, token)
            case FlowRequest():
                yield from self._flow.answer(view, request, token)

    def _about_store(
        self,
        view: StoreView,
        request: StoreRequest | RetentionRequest | GapsRequest | UnreadableRequest,
        token: CancelToken,
    ) -> Result:
        match request:
            case StoreRequest():
                return self._store.answer(view, request, token)
            case RetentionRequest():
                return answer_retention(view, request, self._clock.wall_us())
            case GapsRequest():
                end_us, now_us = request.until_us or 2**62, self._clock.wall_us()
                agents = {request.agent} if request.agent else set()
                return GapsResult(request, gaps_between(view, request.since_us, end_us, agents, now_us))
            case UnreadableRequest():
                return answer_unreadable(view, request, token)

    def interrupt(self) -> None:
        """Break off the question under way, whose reader then raises `Cancelled`. Any thread."""
        view = self._view
        if view is not None:
            view.interrupt()

    def close(self) -> None:
        """Close all files. The reader opens them again if it is asked again."""
        if self._view is not None:
            self._view.close()
            self._view = None


def _about_agents(
    view: StoreView, request: AgentRequest | NamesRequest | SeriesNamesRequest, token: CancelToken
) -> Result:
    match request:
        case AgentRequest():
            return _agent(view, request)
        case NamesRequest():
            return _names(view, request)
        case SeriesNamesRequest():
            return answer_series_names(view, request, token)


def _of_tasks(
    view: StoreView,
    request: TaskRequest | TalkRequest | TasksRequest | TaskStoryRequest | CommandsRequest,
    token: CancelToken,
) -> Iterator[Result]:
    match request:
        case TaskRequest():
            yield from answer_tasks(view, request, token)
        case TalkRequest():
            yield answer_talk(view, request, token)
        case TasksRequest():
            yield answer_task_board(view, request, token)
        case TaskStoryRequest():
            yield answer_task_story(view, request, token)
        case CommandsRequest():
            yield answer_commands(view, request)


def _in_steps(
    view: StoreView, request: HeatRequest | PulseRequest, now_us: int, token: CancelToken
) -> Iterator[Result]:
    match request:
        case HeatRequest():
            yield from answer_heat(view, request, token)
        case PulseRequest():
            yield answer_pulses(view, request, now_us, token)


def _of_rows(
    view: StoreView,
    request: LogRequest | LogSummaryRequest | MessageRequest | FieldRequest | RelatedRequest,
    token: CancelToken,
) -> Iterator[Result]:
    match request:
        case LogRequest():
            yield from answer_logs(view, request, token)
        case LogSummaryRequest():
            yield from answer_log_summary(view, request, token)
        case MessageRequest():
            yield from answer_messages(view, request, token)
        case FieldRequest():
            yield from answer_field(view, request, token)
        case RelatedRequest():
            yield from answer_related(view, request, token)


def _agent(view: StoreView, request: AgentRequest) -> AgentResult:
    """An agent that the catalogue does not know yet (for about a second) has its id and nothing else."""
    headline = ", ".join(f"n.{name}_series" for name in HEADLINES)
    rows: list[Any] = fetch(
        view.catalogue,
        f"""select a.name, a.given_name, a.own_name, a.given_group, a.own_group, a.note, a.convention, a.host, a.version,
        a.capabilities, a.interval_us, n.first_seen_us, n.last_seen_us, n.messages, {headline}
        from agent a left join agent_now n on n.agent_id = a.id where a.id = ?""",
        (request.agent,),
    )
    if not rows:
        names = (
            view.attempt(row, lambda opened, _: opened.agent(request.agent), "") for row in reversed(view.newest())
        )
        name = next(filter(None, names), "")
        return AgentResult(request, name, name, "", "", "", "", "", (), 0, 0, 0, 0, (), {})
    (id_, given, own, given_group, own_group, note, convention, host, version, capabilities, interval_us, *rest) = rows[
        0
    ]
    first_us, last_us, messages, *series = (value or 0 for value in rest)
    columns = f"id, {SERIES_KEY}"
    known = fetch(view.catalogue, f"select {columns} from series where agent_id = ? order by id", (request.agent,))
    return AgentResult(
        request, id_, given or own or id_, given_group or own_group, note, convention, host, version,
        tuple(json.loads(capabilities)), first_us, last_us, interval_us, messages,
        tuple(SeriesInfo(row[0], series_key(*row[1:])) for row in known),
        {name: id_ for name, id_ in zip(HEADLINES, series, strict=True) if id_},
    )  # fmt: skip


def _names(view: StoreView, request: NamesRequest) -> NamesResult:
    found = names_of_agents(view)
    agents = sorted(found)
    return NamesResult(request, agents, [found[id_][0] for id_ in agents], [found[id_][1] for id_ in agents])
