"""The part of the query port that is about who talks to whom. Pure data."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.list_queries import UNKNOWN_REACH, Reach, RowKey
from models.domain.records import Outcome

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
REPLY_QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class FlowRequest:
    """Interactions that were recorded in [since, until) (0: open end), summed up by who asked whom. `by_group`: agents of one group
    count as one."""

    since_us: int = 0
    until_us: int = 0
    by_group: bool = False


class FlowGroup(NamedTuple):
    """Agents that count as one."""

    name: str
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FlowResult:
    """A row for each pair that talked, in no order; 0: nobody knows who, -1 - n: the n-th of `groups`. `count`: interactions; `finished`: answered or timed out;
    `failed` of those: errors, time-outs, refusals. `reply_us`: [pair, quantile] of `REPLY_QUANTILES`, NaN: never answered.
    `last_us`: of the latest. `whole`: more is on its way where it is False."""

    request: FlowRequest
    sender: Int64
    receiver: Int64
    count: Int64
    finished: Int64
    failed: Int64
    reply_us: Float64
    last_us: Int64
    whole: bool = True
    groups: tuple[FlowGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class TalkRequest:
    """Interactions one by one, newest first, where both ends are among `agents`. Of those, where they are given, only what one of
    `senders` began, what was for one of `receivers`, what one of `ends` began or was for. `before` and `limit` as in `LogRequest`."""

    agents: tuple[int, ...]
    senders: tuple[int, ...] = ()
    receivers: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    since_us: int = 0
    until_us: int = 0
    before: RowKey | None = None
    limit: int = 200


class TalkLine(NamedTuple):
    """`key`: arrival of what completed it, and its row. `message`: the row of that message in the same segment. `time_us`: when it
    began. `reply_us`: None where no reply was asked for, or none came."""

    key: RowKey
    message: int
    time_us: int
    sender: int
    receiver: int
    kind: str
    id: str
    reply_us: int | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class TalkResult:
    request: TalkRequest
    rows: tuple[TalkLine, ...]
    reach: Reach = UNKNOWN_REACH
