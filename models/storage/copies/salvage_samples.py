"""Samples of a damaged sealed segment, in the order of messages: of every column that is whole and whose place is known."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import apsw
import numpy as np

from models.storage.sealing.sample_order import EVER_US, Ordered, read_in_order
from models.storage.sealing.sample_reading import numbers
from models.storage.segments.sample_columns import Samples
from models.storage.segments.sample_pick import Float64, Int64, UInt32

_EVERY = (0, 1 << 62)
_STAMPS = "SELECT first, n, batch, seq, width FROM sample_stamp ORDER BY first"
_KNOWN_STAMP = """UPDATE sample_stamp SET n_samples = ?, first_us = 0, last_us = 0, first_batch = 0, last_batch = 0
    WHERE first = ?"""


class _Piece(NamedTuple):
    """As `Ordered`; stamps by message."""

    seq: Int64
    time_us: Int64
    received_us: Int64
    stamp: Int64
    series: UInt32
    value: Float64


class SealedSamples:
    """One use; messages are asked for in their order."""

    def __init__(self, raw: apsw.Connection, received_us: Int64) -> None:
        """`received_us`: by message, 0 where it is lost. Samples that came at another time than their message are not its."""
        self._received_us = received_us
        self._pieces = self._read(raw)
        self._piece: _Piece | None = None
        self._stamp = self._sample = 0  # where the next of the piece begin

    def of(self, first: int, n: int) -> Samples:
        """Samples of messages [first, first + n); nobody asked for an earlier one before."""
        taken: list[_Piece] = []
        while True:
            if self._piece is None or self._stamp == len(self._piece.seq):
                self._piece, self._stamp, self._sample = next(self._pieces, None), 0, 0
            if self._piece is None or self._piece.seq[self._stamp] >= first + n:
                return _samples(taken, first)
            taken.append(self._take(self._piece, first + n))

    def _take(self, piece: _Piece, end: int) -> _Piece:
        stamp, sample = self._stamp, self._sample
        self._stamp = int(np.searchsorted(piece.seq, end))
        self._sample = int(np.searchsorted(piece.stamp, self._stamp))
        stamps, samples = slice(stamp, self._stamp), slice(sample, self._sample)
        return _Piece(
            piece.seq[stamps], piece.time_us[stamps], piece.received_us[stamps],
            piece.stamp[samples] - stamp, piece.series[samples], piece.value[samples],
        )  # fmt: skip

    def _read(self, raw: apsw.Connection) -> Iterator[_Piece]:
        _leave_what_fits(raw)
        last = 0
        for part in read_in_order(raw, -EVER_US, EVER_US, _EVERY, None, lambda _: None):
            piece = self._known(part, last)
            if len(piece.seq):
                last = int(piece.seq[-1])
                yield piece

    def _known(self, part: Ordered, last: int) -> _Piece:
        """Stamps of messages behind `last` that are there."""
        before = np.maximum.accumulate(np.concatenate(([last], part.seq)))[:-1]
        kept = (part.seq > before) & (part.seq < len(self._received_us))
        kept[kept] = self._received_us[part.seq[kept]] == part.received_us[kept]
        kept[kept] = part.received_us[kept] != 0
        samples = kept[part.stamp]
        return _Piece(
            part.seq[kept], part.time_us[kept], part.received_us[kept],
            (np.cumsum(kept) - 1)[part.stamp[samples]], part.series[samples], part.value[samples],
        )  # fmt: skip


def _samples(pieces: list[_Piece], first: int) -> Samples:
    before = np.cumsum([0, *(len(one.seq) for one in pieces)])
    pieces = [one._replace(stamp=one.stamp + at) for one, at in zip(pieces, before.tolist(), strict=False)]
    none = _Piece(*(np.zeros(0, kind) for kind in ("<i8", "<i8", "<i8", "<i8", "<u4", "<f8")))
    whole = _Piece(*(np.concatenate(column) for column in zip(none, *pieces, strict=True)))
    order = np.argsort(whole.series, kind="stable")
    return Samples(
        whole.time_us, whole.received_us, (whole.seq - first).astype(np.uint32),
        whole.value[order], whole.series[order], whole.stamp[order].astype(np.uint32),
    )  # fmt: skip


def _leave_what_fits(raw: apsw.Connection) -> None:
    """Remove stamps and chunks that do not hold what they say, and set right what a reader goes by."""
    end = 0
    stamps: list[Any] = raw.execute(_STAMPS).fetchall()
    for first, n, batch, seq, width in stamps:
        try:
            told = [numbers(batch, n, np.int64), numbers(seq, n, np.int64), numbers(width, n, np.uint32)]
        except ValueError:
            told = []
        if told and first >= end:
            end = first + n
            raw.execute(_KNOWN_STAMP, (int(told[2].sum()), first))
        else:
            raw.execute("DELETE FROM sample_stamp WHERE first = ?", (first,))
    chunks: list[Any] = raw.execute("SELECT id FROM sample_chunk").fetchall()
    for (id_,) in chunks:
        rows: list[Any] = raw.execute("SELECT n_rows, place FROM sample_chunk WHERE id = ?", (id_,)).fetchall()
        try:
            place = numbers(rows[0][1], rows[0][0], np.uint32)
            told_places = (int(place.min()), int(place.max()))
        except ValueError:
            raw.execute("DELETE FROM sample_chunk WHERE id = ?", (id_,))
        else:
            raw.execute("UPDATE sample_chunk SET first = ?, last = ? WHERE id = ?", (*told_places, id_))
