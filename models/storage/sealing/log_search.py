"""Reads the index of a sealed segment's log records."""

import re
from collections.abc import Collection, Iterable, Iterator
from heapq import merge
from typing import NamedTuple, cast

import apsw
import numpy as np
import numpy.typing as npt
import zstandard

from models.storage.sealing.block_codec import LARGEST_BYTES, Int64
from models.storage.sealing.log_index import MARKED_LEVEL, MINUTE_US, WORD, agent_word, grams, level_word
from models.storage.sealing.packing import unpack
from models.storage.store_errors import DamagedError

LEAST_PREFIX = 4
MOST_WORDS = 128
"""A text that so many words hold is no rare one: it is looked for in the records themselves."""
MOST_AGENTS = 64
"""More are looked for in the records themselves."""
_WORDS = re.compile(f"{WORD}+")


class MinuteCounts(NamedTuple):
    """Records by minute of arrival (µs of its beginning) and level, both ascending."""

    minute_us: Int64
    level: Int64
    n: Int64


class LogIndex:
    """Through a connection of its own thread. Methods raise `DamagedError` and the engine's errors."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._grams: list[npt.NDArray[np.uint8]] | None = None  # of every chunk of words

    def candidates(
        self,
        agents: Collection[int] | None,
        levels: Collection[int],
        needles: Iterable[str],
        low: int,
        end: int,
        *,
        up: bool = False,
    ) -> Iterator[int] | None:
        """Row ids of [low, end), the largest first (`up`: the smallest): all records of these agents (None: of any) and levels that hold every one of
        the casefolded `needles` are among them. None: the index cannot narrow it down."""
        parts = (
            [_any([agent_word(one) for one in agents])] if agents is not None and 0 < len(agents) <= MOST_AGENTS else []
        )
        if levels and min(levels) >= MARKED_LEVEL:
            parts.append(_any([level_word(level) for level in levels]))
        texts = [part for needle in needles for part in self._holding(needle)]
        if "" in texts:
            return iter(self._unindexed(low, end, up=up))
        parts += texts
        if not parts:
            return None
        query = f"""SELECT rowid FROM log_words WHERE log_words MATCH ? AND rowid >= ? AND rowid < ?
            ORDER BY rowid {"" if up else "DESC"}"""
        found = (cast("int", id_) for (id_,) in self._connection.execute(query, (" AND ".join(parts), low, end)))
        return merge(found, self._unindexed(low, end, up=up), reverse=not up) if texts else found

    def minutes(self, agent: int, since_us: int, until_us: int) -> MinuteCounts:
        """How many records of an agent (0: of all) came in every minute that begins in [since_us, until_us)."""
        query = "SELECT minute, level, n FROM log_minute WHERE agent_id = ?"
        parts = [np.array([_unpacked(column) for column in row]) for row in self._connection.execute(query, (agent,))]
        minute, level, n = np.concatenate(parts, axis=1) if parts else np.zeros((3, 0), np.int64)
        some = (minute >= -(-since_us // MINUTE_US)) & (minute < -(-until_us // MINUTE_US))
        return MinuteCounts(minute[some] * MINUTE_US, level[some], n[some])

    def _holding(self, needle: str) -> Iterator[str]:
        """Conditions that every record meets which holds the needle; an empty one: there is none."""
        for found in _WORDS.finditer(needle):
            word, begins, ends = found[0], found.start() > 0, found.end() < len(needle)
            if begins and ends:
                yield f'"{word}"'
            elif begins and len(word) >= LEAST_PREFIX:
                yield f'"{word}" *'
            elif begins:
                continue  # what begins so is most of what there is
            else:
                words = self._words(word + ("\n" if ends else ""))
                if words is not None:
                    yield _any(words)

    def _words(self, text: str) -> list[str] | None:
        """Words of the segment that hold a text; None: too many. A line feed stands for the end of a word."""
        found: list[str] = []
        sought = text.encode()
        wanted = np.flatnonzero(grams(sought)) if len(sought) > 2 else np.zeros(0, np.intp)
        for number, there in enumerate(self._chunk_grams()):
            if not (there[wanted >> 3] >> (7 - (wanted & 7)) & 1).all():
                continue
            query = "SELECT words FROM log_vocabulary WHERE chunk = ?"
            chunk = b"".join([self._decompressed(data) for (data,) in self._connection.execute(query, (number,))])
            at = chunk.find(sought)
            while at >= 0:
                start, end = chunk.rfind(b"\n", 0, at + 1), chunk.find(b"\n", at + 1)
                found.append(chunk[start + 1 : end].decode())
                if len(found) > MOST_WORDS:
                    return None
                at = chunk.find(sought, end)
        return found

    def _chunk_grams(self) -> list[npt.NDArray[np.uint8]]:
        if self._grams is None:
            query = "SELECT grams FROM log_vocabulary ORDER BY chunk"
            rows = self._connection.execute(query).fetchall()
            self._grams = [np.frombuffer(self._decompressed(data), np.uint8) for (data,) in rows]
        return self._grams

    @staticmethod
    def _decompressed(data: object) -> bytes:
        try:
            found: bytes = zstandard.ZstdDecompressor().decompress(cast("bytes", data), max_output_size=LARGEST_BYTES)
        except zstandard.ZstdError as error:
            raise DamagedError(f"the words of the log records: {error}") from error
        return found

    def _unindexed(self, low: int, end: int, *, up: bool) -> list[int]:
        rows = self._connection.execute("SELECT ids FROM log_unindexed ORDER BY part").fetchall()
        every = np.concatenate([_unpacked(row[0]) for row in rows]) if rows else np.zeros(0, np.int64)
        found: list[int] = every[(every >= low) & (every < end)][:: 1 if up else -1].tolist()
        return found


def _any(words: list[str]) -> str:
    quoted = [f'"{word}"' for word in words]
    return f"({' OR '.join(quoted)})" if quoted else ""


def _unpacked(data: object) -> Int64:
    try:
        return unpack(cast("bytes", data))
    except ValueError as error:
        raise DamagedError(str(error)) from error
