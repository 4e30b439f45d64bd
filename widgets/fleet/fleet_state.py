"""What the fleet screen derives from a `FleetResult`: who is well, in which order they stand, what one sentence says."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from models.domain.presence_words import Condition, Presence
from models.domain.queries import FleetResult

Order = npt.NDArray[np.int64]

ERROR_RATIO_ILL = 0.1
"""From one failure in ten an agent is not well, provided it finished at least `ERROR_MIN_N` things in the hour."""
ERROR_MIN_N = 10
_REMEMBERED = 20_000  # names whose order was worked out
_RANKED = 4  # names and groups of a whole fleet: the present one, and one at another moment


class Column(IntEnum):
    AGENT = 0
    GROUP = 1
    PRESENCE = 2
    LAST_SEEN = 3
    HOUR = 4
    CPU = 5
    MEMORY = 6
    RESPONSE = 7
    ERROR_RATIO = 8
    TASKS = 9
    ATTEMPTS = 10
    SUCCESSES = 11
    ERRORS = 12
    LOG_ERRORS = 13
    MESSAGES = 14


COLUMNS = tuple(Column)
"""By number: `Column(number)` takes several times as long, and every cell that is painted needs it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts for the sentence. `worst` is the row of the agent most worth naming, -1: none. `not_well` leaves out agents in
    maintenance and those that said goodbye; `unknown` counts those of whom nothing can be said."""

    total: int
    well: int
    not_well: int
    stopped: int
    unknown: int
    maintenance: int
    worst: int


def error_ratio(fleet: FleetResult) -> npt.NDArray[np.float64]:
    """Failed over finished; NaN where nothing was finished."""
    finished = fleet.finished.astype(np.float64)
    ratio = np.full(len(finished), np.nan)
    np.divide(fleet.failed, finished, out=ratio, where=finished > 0)
    return ratio


def in_maintenance(fleet: FleetResult) -> npt.NDArray[np.bool_]:
    """Which agents the user expects no work from at the moment of the result."""
    return fleet.maintenance_until_us > fleet.at_us


def severity(fleet: FleetResult) -> npt.NDArray[np.int64]:
    """How much an agent is worth looking at: 0 well, 1 stopped or unknown, 2 many errors, 3 degraded, 4 late, 5 offline.
    Agents in maintenance are at most 1."""
    ratio = error_ratio(fleet)
    rank = np.zeros(len(fleet.agent), np.int64)
    rank[(ratio >= ERROR_RATIO_ILL) & (fleet.finished >= ERROR_MIN_N)] = 2
    rank[fleet.condition == Condition.DEGRADED] = 3
    rank[np.isin(fleet.presence, (Presence.STOPPED, Presence.UNKNOWN))] = 1
    rank[fleet.presence == Presence.LATE] = 4
    rank[fleet.presence == Presence.OFFLINE] = 5
    rank[in_maintenance(fleet)] = np.minimum(rank[in_maintenance(fleet)], 1)
    rank[fleet.retired] = 0
    return rank


def summarise(fleet: FleetResult) -> Summary:
    """Count who is well; retired agents are left out."""
    present = ~fleet.retired
    rank, maintenance = severity(fleet), in_maintenance(fleet) & present
    not_well = (rank >= 2) & present & ~maintenance
    known = present & ~maintenance
    stopped = known & (fleet.presence == Presence.STOPPED)
    unknown = known & (fleet.presence == Presence.UNKNOWN)
    worst = -1
    if not_well.any():
        rows = np.flatnonzero(not_well)
        ratio = np.where(rank == 2, np.nan_to_num(error_ratio(fleet)), 0.0)[rows]
        # of the worst who fails most, as in the table, else the newest
        worst = int(rows[np.lexsort((-fleet.since_us[rows], -ratio, -rank[rows]))[0]])
    well = int((known & ~not_well & ~stopped & ~unknown).sum())
    return Summary(
        total=int(present.sum()),
        well=well,
        not_well=int(not_well.sum()),
        stopped=int(stopped.sum()),
        unknown=int(unknown.sum()),
        maintenance=int(maintenance.sum()),
        worst=worst,
    )


def matches(fleet: FleetResult, text: str, group: str | None, *, only_not_well: bool, retired: bool = False) -> Order:
    """Rows whose name, id, group or note holds every word of `text`, in `group` (None: any); `retired`: those that were
    retired instead of those that were not."""
    keep = fleet.retired == retired
    if only_not_well:
        keep &= severity(fleet) >= 2
    words = text.casefold().split()
    if group is not None:
        keep &= np.fromiter((one == group for one in fleet.group), bool, len(keep))
    if words:
        for i in np.flatnonzero(keep).tolist():
            hay = _searched(fleet.name[i], fleet.id[i], fleet.group[i], fleet.note[i])
            keep[i] = all(word in hay for word in words)
    return np.flatnonzero(keep)


def ordered(fleet: FleetResult, rows: Order, column: Column | None, *, descending: bool) -> Order:
    """Rows in the order of a column; None is worst first. What has no value stands last either way; equal ones by name, of
    presence by since when it is so: who went first stands first."""
    names = _text_rank(fleet.name)
    if column is None:
        rank = severity(fleet)
        ratio = np.where(rank == 2, np.nan_to_num(error_ratio(fleet)), 0.0)  # the well ones keep their places
        keys: Sequence[npt.NDArray[np.generic]] = (names[rows], -ratio[rows], -rank[rows])
        return rows[np.lexsort(keys)]
    value = _sort_value(fleet, column)[rows]
    missing = np.isnan(value)
    key = np.where(missing, 0.0, -value if descending else value)
    since = fleet.since_us[rows] if column is Column.PRESENCE else np.zeros(len(rows))
    return rows[np.lexsort((names[rows], since, key, missing))]


def _sort_value(fleet: FleetResult, column: Column) -> npt.NDArray[np.float64]:
    match column:
        case Column.AGENT:
            return _text_rank(fleet.name).astype(np.float64)
        case Column.GROUP:
            return _text_rank(fleet.group).astype(np.float64)
        case Column.PRESENCE:
            return (-10 * severity(fleet) - fleet.presence).astype(np.float64)  # the first click shows who is worst
        case Column.LAST_SEEN:
            return np.where(fleet.last_seen_us > 0, fleet.last_seen_us.astype(np.float64), np.nan)
        case Column.HOUR:
            bad = (fleet.hour_presence >= Presence.LATE).sum(axis=1) * 1000.0
            total: npt.NDArray[np.float64] = bad + fleet.hour_errors.sum(axis=1)
            return total
        case Column.ERROR_RATIO:
            return error_ratio(fleet)
        case _:
            return _figures(fleet)[column].astype(np.float64)


def _figures(fleet: FleetResult) -> dict[Column, npt.NDArray[np.generic]]:
    return {
        Column.CPU: fleet.cpu,
        Column.MEMORY: fleet.memory,
        Column.RESPONSE: fleet.response_p95_s,
        Column.TASKS: fleet.tasks_open,
        Column.ATTEMPTS: fleet.attempts,
        Column.SUCCESSES: fleet.successes,
        Column.ERRORS: fleet.errors,
        Column.LOG_ERRORS: fleet.log_errors,
        Column.MESSAGES: fleet.messages,
    }


@lru_cache(_REMEMBERED)  # for every letter that is typed, and every second while something is
def _searched(name: str, id_: str, group: str, note: str) -> str:
    return f"{name}\0{id_}\0{group}\0{note}".casefold()


def _text_rank(texts: list[str]) -> npt.NDArray[np.int64]:
    """Place of each text in the order people expect: case-blind, numbers by value, empty last. Read only."""
    return _rank(tuple(texts))


@lru_cache(_RANKED)
def _rank(texts: tuple[str, ...]) -> npt.NDArray[np.int64]:
    keys = sorted(range(len(texts)), key=lambda i: (not texts[i], _natural(texts[i])))
    rank = np.empty(len(texts), np.int64)
    rank[keys] = np.arange(len(texts))
    for before, after in pairwise(keys):
        if texts[before] == texts[after]:
            rank[after] = rank[before]
    rank.flags.writeable = False
    return rank


@lru_cache(_REMEMBERED)  # a fleet is sorted every second, and its names are the same
def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    parts: list[tuple[int, int, str]] = []
    word, number = "", ""
    for char in text.casefold() + "\0":
        if char.isascii() and char.isdigit():
            if word:
                parts.append((1, 0, word))
            word, number = "", number + char
        else:
            if number:
                parts.append((0, int(number[:30]), ""))
            number, word = "", word + char
    return (*parts, (1, 0, word))
