"""The series that stand for each agent at present, by role, and how their values are shown."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from models.domain.headline import ROLES, Headline, headline
from models.domain.names import SeriesKey, SeriesKind

CPU, MEMORY, RESPONSE, ATTEMPTS, SUCCESSES, ERRORS = range(1, 7)
"""Values of `Headlines.role`, in the order of `ROLES`; 0: a series that stands for nobody."""
_IMPORTED_BIT = 16  # above every rank
_MOST_ANSWERS = 10_000
COLUMNS = tuple(f"{role}_series" for role in ROLES)  # of agent_now


class Headlines:
    """Arrays indexed by series id. The smallest (rank, id) of a role wins, so the order of asking does not matter; one that
    only imports know never takes the place of one that was heard live."""

    def __init__(self) -> None:
        self.role = np.zeros(1, np.uint8)
        self.agent = np.zeros(1, np.int64)
        self.agents = 1
        """One more than the largest agent id known."""
        self._factor = np.ones(1)
        self._offset = np.zeros(1)
        self._series = np.zeros((len(ROLES), 1), np.uint32)  # by role and agent: what stands for it; 0: nothing
        self._rank = np.zeros((len(ROLES), 1), np.uint32)  # of that, and whether only imports know it
        self._answers: dict[tuple[str, str, str], Headline | None] = {}

    def become(self, other: "Headlines") -> None:
        """What was chosen before is forgotten: names have gone, others have come."""
        self.__dict__.update(other.__dict__)

    def saw_agents(self, ids: Iterable[int]) -> None:
        self.agents = max(self.agents, 1 + max(ids, default=0))
        more = self.agents + self.agents // 2 - self._series.shape[1]
        if self.agents > self._series.shape[1]:
            none = np.zeros((len(ROLES), more), np.uint32)
            self._series = np.concatenate((self._series, none), axis=1)
            self._rank = np.concatenate((self._rank, none), axis=1)

    def consider(self, id_: int, key: SeriesKey, *, imported: bool = False) -> int:
        """Take a series into account; again, once it is heard live. Answers its agent where the choice for it changed,
        else 0."""
        self._grow(id_ + 1)
        self.agent[id_] = key.agent
        self.saw_agents((key.agent,))
        short = (key.metric, key.unit, key.labels)
        if short not in self._answers:
            if len(self._answers) >= _MOST_ANSWERS:
                self._answers.clear()
            self._answers[short] = headline(*short)
        found = self._answers[short]
        if found is None:
            return 0
        role = 1 + ROLES.index(found.role)
        if role >= ATTEMPTS and key.kind != SeriesKind.COUNTER:
            return 0
        place = (role - 1, key.agent)
        rank, best = found.rank | imported << _IMPORTED_BIT, int(self._series[place])
        if best and (int(self._rank[place]), best) <= (rank, id_):
            return 0
        self.role[best] = 0
        self._series[place], self._rank[place] = id_, rank
        self.role[id_], self._factor[id_], self._offset[id_] = role, found.factor, found.offset
        return key.agent

    def chosen(self, agent: int) -> tuple[int, ...]:
        """Series of an agent by role, in the order of `ROLES`; 0: none."""
        chosen: list[int] = self._series[:, agent].tolist()
        return tuple(chosen)

    def shown(self, series: npt.NDArray[np.uint32], value: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Published values as they are shown."""
        shown: npt.NDArray[np.float64] = value * self._factor[series] + self._offset[series]
        return shown

    def _grow(self, size: int) -> None:
        more = size + size // 2 - len(self.role)
        if size <= len(self.role):
            return
        self.role = np.concatenate((self.role, np.zeros(more, np.uint8)))
        self.agent = np.concatenate((self.agent, np.zeros(more, np.int64)))
        self._factor = np.concatenate((self._factor, np.ones(more)))
        self._offset = np.concatenate((self._offset, np.zeros(more)))
