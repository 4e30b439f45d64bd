"""Every topic with its totals and rates, as columns that answers of the store are added to. Pure; GUI thread."""

from collections import deque

import numpy as np
import numpy.typing as npt

from models.domain.queries import Float64, Int64, TopicsResult

RATE_US = 15_000_000
"""Rates are over about this long: agents speak every few seconds, and a shorter look would see them come and go."""
_LOOK_US = RATE_US // 5
_FIRST_CAPACITY = 1_024


class TopicColumns:
    """One row per topic; rows only grow until `take` begins anew. `rates_known` is false after a single answer."""

    def __init__(self) -> None:
        self.begun = 0  # how often everything was forgotten
        self.revision = 0
        self._forget()

    def _forget(self) -> None:
        self.begun += 1
        self.names: list[bytes] = []
        self._texts: list[str] = []  # for searching, made when first wanted
        self._row_of: dict[int, int] = {}
        self._columns = np.zeros((4, _FIRST_CAPACITY), np.int64)
        self._looks: deque[tuple[int, Int64]] = deque()
        self._seconds = 0.0

    def __len__(self) -> int:
        return len(self.names)

    @property
    def messages(self) -> Int64:
        return self._columns[0, : len(self.names)]

    @property
    def payload_bytes(self) -> Int64:
        return self._columns[1, : len(self.names)]

    @property
    def last_us(self) -> Int64:
        return self._columns[2, : len(self.names)]

    @property
    def agent(self) -> Int64:
        return self._columns[3, : len(self.names)]

    @property
    def rates_known(self) -> bool:
        return self._seconds > 0

    def rates(self) -> tuple[Float64, Float64]:
        """Messages and payload bytes a second over the last seconds, by row; all zero while unknown."""
        if not self._seconds:
            return np.zeros(len(self)), np.zeros(len(self))
        before = self._looks[0][1]
        risen = self._columns[:2, : len(self)].astype(np.float64)
        risen[:, : before.shape[1]] -= before  # a topic that is younger began at zero
        return risen[0] / self._seconds, risen[1] / self._seconds

    def take(self, answer: TopicsResult, now_us: int) -> range:
        """Add an answer that was asked for with our `revision`; `now_us` is monotonic. The rows of topics that are new."""
        if answer.whole:
            self._forget()
        self.revision = answer.revision
        first, topics = len(self.names), answer.topic.tolist()
        if answer.whole:
            self.names, self._row_of = list(answer.name), dict(zip(topics, range(len(topics)), strict=True))
            rows = np.arange(len(topics))
        else:
            rows = self._rows(topics, answer.name)
        self._reserve(len(self.names))
        for column, values in enumerate((answer.messages, answer.payload_bytes, answer.last_us, answer.agent)):
            self._columns[column, rows] = values
        self._look(now_us)
        return range(first, len(self.names))

    def _rows(self, topics: list[int], names: list[bytes]) -> Int64:
        """Their rows, new ones where they are new."""
        row_of = self._row_of
        for topic, name in zip(topics, names, strict=True):
            if topic not in row_of:
                row_of[topic] = len(self.names)
                self.names.append(name)
        return np.fromiter((row_of[topic] for topic in topics), np.int64, len(topics))

    def pause(self) -> None:
        """Nobody asks for a while: rates begin anew."""
        self._looks.clear()
        self._seconds = 0.0

    def matching(self, text: str) -> npt.NDArray[np.bool_]:
        """Which topics hold this text, case-blind."""
        texts, needle = self._texts, text.casefold()
        texts += [name.decode(errors="backslashreplace").casefold() for name in self.names[len(texts) :]]
        return np.fromiter((needle in one for one in texts), bool, len(texts))

    def _look(self, now_us: int) -> None:
        looks = self._looks
        if not looks or now_us - looks[-1][0] >= _LOOK_US:
            looks.append((now_us, self._columns[:2, : len(self)].copy()))
        while len(looks) > 1 and now_us - looks[1][0] >= RATE_US:
            looks.popleft()
        self._seconds = (now_us - looks[0][0]) / 1e6

    def _reserve(self, size: int) -> None:
        held = self._columns.shape[1]
        if size > held:
            grown = np.zeros((4, max(size, 2 * held)), np.int64)
            grown[:, :held] = self._columns
            self._columns = grown
