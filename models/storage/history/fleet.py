"""The fleet at a glance: every agent now, or as it was, with its last hour."""

import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.clock import Clock
from models.domain.headline import headline
from models.domain.presence_words import Cause, Presence
from models.domain.queries import HOUR_CELLS, CancelToken, FleetRequest, FleetResult, Int64
from models.storage.history.gaps import gaps_between, is_recording, last_commit, recording_ended
from models.storage.history.open_tasks import OpenTasks
from models.storage.history.presence import MINUTE_US, UNSEEN, PresenceHistory, States, strip
from models.storage.history.pulses import PulseWindow
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import fetch
from models.storage.segments.pulse_columns import PULSE_US

HOUR_US = HOUR_CELLS * MINUTE_US

_AGENTS_SQL = """select a.id, a.name, a.given_name, a.own_name, a.given_group, a.own_group, a.note, a.convention,
    a.interval_us, a.maintenance_until_us, a.retired_us,
    n.presence, n.condition, n.cause, n.since_us, n.first_seen_us, n.last_seen_us, n.cpu, n.cpu_series, n.memory,
    n.memory_series, n.tasks_open, {}
    from agent a left join agent_now n on n.agent_id = a.id order by a.id"""


class _Agents(NamedTuple):
    """Columns of `_AGENTS_SQL`, in its order; what stands in `agent_now` is None for an agent without a row there."""

    id: tuple[int, ...]
    name: tuple[str, ...]
    given_name: tuple[str, ...]
    own_name: tuple[str, ...]
    given_group: tuple[str, ...]
    own_group: tuple[str, ...]
    note: tuple[str, ...]
    convention: tuple[str, ...]
    interval_us: tuple[int, ...]
    maintenance_until_us: tuple[int, ...]
    retired_us: tuple[int, ...]
    presence: tuple[int | None, ...]
    condition: tuple[int | None, ...]
    cause: tuple[str | None, ...]
    since_us: tuple[int | None, ...]
    first_seen_us: tuple[int | None, ...]
    last_seen_us: tuple[int | None, ...]
    cpu: tuple[float | None, ...]
    cpu_series: tuple[int | None, ...]
    memory: tuple[float | None, ...]
    memory_series: tuple[int | None, ...]
    tasks_open: tuple[int | None, ...]
    imported: tuple[int | None, ...]


class Moment(NamedTuple):
    """For when the fleet is told. `present`: values of this instant exist, beyond whole pulses. `blind_us`: since when
    nobody records (0: somebody does, nobody ever did, or the moment is past)."""

    at_us: int
    present: bool
    blind_us: int


class FleetHistory:
    """Answers fleet requests; asked every second it reads only what is new. Any thread, each with a view of its own on the
    same workspace: what one read, the others know."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # over all below
        self._told_by = ((0, 0), 0)  # file of the catalogue, generations of the segments
        self._forget()

    def _forget(self) -> None:
        self._presence, self._open_tasks = PresenceHistory(), OpenTasks()
        self._now, self._past = PulseWindow(), PulseWindow()
        self._series: dict[int, tuple[str, str]] = {0: ("", "")}

    def answer(self, view: StoreView, request: FleetRequest, token: CancelToken) -> Iterator[FleetResult]:
        """One result."""
        with self._lock:
            result = self._answer(view, request, token)
        yield result

    def _answer(self, view: StoreView, request: FleetRequest, token: CancelToken) -> FleetResult:
        if (view.file, view.generations) != self._told_by:
            self._forget()
            self._told_by = (view.file, view.generations)
        now_us = self._clock.wall_us()
        moment = Moment(request.at_us, False, 0) if request.at_us else present(view, now_us)
        agents = _read_agents(view, request, moment)
        size = max(agents.id, default=0) + 1
        hour_us = (moment.at_us // MINUTE_US + 1) * MINUTE_US - HOUR_US  # where the strip begins
        pulse_end_us = moment.at_us // PULSE_US * PULSE_US + (PULSE_US if moment.present else 0)
        window = self._now if moment.present else self._past
        window.update(view, hour_us, pulse_end_us, size)
        token.check()
        return self._result(view, request, moment, agents, window, (hour_us, pulse_end_us, size), token)

    def _result(
        self,
        view: StoreView,
        request: FleetRequest,
        moment: Moment,
        agents: _Agents,
        window: PulseWindow,
        bounds: tuple[int, int, int],
        token: CancelToken,
    ) -> FleetResult:
        hour_us, pulse_end_us, size = bounds
        ids = np.array(agents.id, np.int64)
        states = self._states(view, agents, moment, size, token)
        cpu, memory, seen = self._values(agents, moment, window)
        cpu_spark, memory_spark = (spark[ids] for spark in window.sparks(pulse_end_us))
        if moment.present and len(ids):
            _put_running(cpu_spark, cpu)
            _put_running(memory_spark, memory)
        p95, n = window.response_p95()
        told = [self._about(view, series or 0) for series in agents.cpu_series]
        held = [self._about(view, series or 0) for series in agents.memory_series]
        return FleetResult(
            request, moment.at_us, ids, list(agents.name),
            [given or own or name for given, own, name in zip(agents.given_name, agents.own_name, agents.name, strict=True)],
            [given or own for given, own in zip(agents.given_group, agents.own_group, strict=True)],
            list(agents.note), list(agents.convention),
            states.presence, states.condition, [Cause(cause) for cause in states.cause.tolist()], states.since_us,
            seen, np.array(agents.interval_us, np.int64), np.array(agents.maintenance_until_us, np.int64),
            np.array(agents.retired_us, np.int64) > 0,
            cpu, [unit for unit, _ in told], [source for _, source in told],
            memory, [unit for unit, _ in held], [source for _, source in held],
            cpu_spark, memory_spark, p95[ids], n[ids], window.sums["finished"][ids], window.sums["failed"][ids],
            self._tasks(view, agents, moment, token), window.sums["attempts"][ids], window.sums["successes"][ids],
            window.sums["errors"][ids], window.sums["log_errors"][ids], window.sums["messages"][ids],
            self._strip(view, agents, moment, hour_us, size, token)[ids],
            window.errors_by_minute(hour_us // MINUTE_US, HOUR_CELLS)[ids],
        )  # fmt: skip

    def _states(self, view: StoreView, agents: _Agents, moment: Moment, size: int, token: CancelToken) -> States:
        """Presence at the moment, in the order of the agents."""
        if moment.present:
            states = States(
                np.array([presence or Presence.UNKNOWN for presence in agents.presence], np.uint8),
                np.array([condition or 0 for condition in agents.condition], np.uint8),
                np.array([cause or Cause.NOT_HEARD for cause in agents.cause], "U16"),
                np.array([since or 0 for since in agents.since_us], np.int64),
            )
        else:
            ids = np.array(agents.id, np.int64)
            wanted = np.zeros(size, np.bool_)
            wanted[ids] = True
            found = self._presence.states_at(view, moment.at_us + 1, wanted, token)
            states = States(found.presence[ids], found.condition[ids], found.cause[ids], found.since_us[ids])
            unknown = states.presence == 0
            states.presence[unknown] = Presence.UNKNOWN
            states.cause[unknown] = Cause.NOT_HEARD
            gaps = gaps_between(view, moment.at_us, moment.at_us + 1, frozenset(), self._clock.wall_us())
            for since, cause, who in zip(gaps.since_us, gaps.cause, gaps.agent, strict=True):
                if cause in UNSEEN and not who:
                    states.presence[:], states.cause[:], states.since_us[:] = Presence.UNKNOWN, UNSEEN[cause], since
        if moment.blind_us:
            unseen = np.array([not imported for imported in agents.imported], np.bool_)  # how an import ended stands
            states.presence[unseen] = Presence.UNKNOWN
            states.cause[unseen] = Cause.NOT_RECORDING
            states.since_us[unseen] = moment.blind_us
        return states

    @staticmethod
    def _values(agents: _Agents, moment: Moment, window: PulseWindow) -> tuple[Any, Any, Int64]:
        if moment.present:
            return (
                np.array([np.nan if value is None else value for value in agents.cpu], np.float64),
                np.array([np.nan if value is None else value for value in agents.memory], np.float64),
                np.array([seen or 0 for seen in agents.last_seen_us], np.int64),
            )
        ids = np.array(agents.id, np.int64)
        cpu, memory, seen = (column[ids] for column in window.last_values())
        first = np.array([seen or 0 for seen in agents.first_seen_us], np.int64)
        return cpu, memory, np.maximum(np.minimum(seen, moment.at_us), first)

    def _tasks(self, view: StoreView, agents: _Agents, moment: Moment, token: CancelToken) -> Int64:
        if moment.present:
            return np.array([count or 0 for count in agents.tasks_open], np.int64)
        ids = np.array(agents.id, np.int64)
        found: Int64 = self._open_tasks.count_at(view, moment.at_us, int(ids.max(initial=0)) + 1, token)[ids]
        return found

    def _strip(
        self, view: StoreView, agents: _Agents, moment: Moment, hour_us: int, size: int, token: CancelToken
    ) -> npt.NDArray[np.uint8]:
        changes = self._presence.between(view, hour_us, moment.at_us + 1)
        wanted = np.zeros(size, np.bool_)
        before = np.zeros(size, np.uint8)
        for agent, presence, since, first in zip(
            agents.id, agents.presence, agents.since_us, agents.first_seen_us, strict=True
        ):
            if moment.present and since and since < hour_us:  # no need to look: it has been so all the hour
                before[agent] = presence or 0
            else:
                wanted[agent] = first is None or first < hour_us
        found = self._presence.states_at(view, hour_us, wanted, token)
        before = np.where(wanted, found.presence, before)
        gaps = gaps_between(view, hour_us, moment.at_us + 1, frozenset(), self._clock.wall_us())
        return strip(before, changes, hour_us, gaps, moment.at_us)

    def _about(self, view: StoreView, series: int) -> tuple[str, str]:
        """Unit in which the catalogue and the pulses hold a headline series, and its metric."""
        found = self._series.get(series)
        if found is None:
            rows = fetch(view.catalogue, "select metric, unit, labels from series where id = ?", (series,))
            if not rows:
                return "", ""
            metric, unit, labels = rows[0]
            shown = headline(metric, unit, labels)
            found = self._series[series] = (shown.unit if shown else unit, metric)
        return found


def present(view: StoreView, now_us: int) -> Moment:
    """The present, as far as the store knows one: now while a recorder runs, else the end of what was recorded
    or imported last."""
    sql = "select kind from capture order by ended_us is null desc, ended_us desc, id desc limit 1"
    rows = fetch(view.catalogue, sql)
    segments = view.all()
    if is_recording(view) or not rows or not segments:
        newest = max((view.attempt(row, last_commit, 0) for row in segments if row.is_open), default=0)
        return Moment(max(now_us, newest), present=True, blind_us=0)
    ended_us = recording_ended(view)
    if rows[0][0] != "record":  # the recording's clock counts, and the last state stands
        ends = [row.last_us for row in segments if row.imported]
        return Moment(max(ends, default=segments[-1].last_us), present=True, blind_us=ended_us)
    return Moment(ended_us, present=True, blind_us=ended_us)


def _read_agents(view: StoreView, request: FleetRequest, moment: Moment) -> _Agents:
    rows = fetch(view.catalogue, _AGENTS_SQL.format(view.imported_column))
    kept = [row for row in rows if request.with_retired or not row[10] or row[10] > moment.at_us]
    if not moment.present:
        kept = [row for row in kept if row[15] is None or row[15] <= moment.at_us]
    return _Agents(*zip(*kept, strict=True)) if kept else _Agents(*([()] * len(_Agents._fields)))


def _put_running(spark: npt.NDArray[np.float32], value: Any) -> None:
    """The running ten seconds have no pulse yet: the newest value stands for them, where the line has not ended before."""
    alive = np.isnan(spark[:, -1]) & ~np.isnan(spark[:, -2])
    spark[alive, -1] = value[alive]
