"""The samples of a segment of layout 1, page by page, as arrays."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, cast

import apsw
import numpy as np
import numpy.typing as npt

from models.storage.segments.sample_columns import decode, words_of
from models.storage.store_errors import DamagedError

PAGE_BYTES = 8 * 1024 * 1024
SMALL_BYTES = 8_192
"""Batches that are smaller in the mean are taken apart all at once: a numpy call costs more than their few samples."""
_PAGE = "SELECT id, first_seq, samples FROM batch WHERE id > ? AND samples IS NOT NULL ORDER BY id"

Int64 = npt.NDArray[np.int64]
UInt32 = npt.NDArray[np.uint32]


class SamplePage(NamedTuple):
    """Some batches. The first four arrays have an entry a stamp, in order; the others one a sample, batch after batch, within
    a batch by series. `place` is the number of its stamp, counted from the first of the segment; `first` that of the first
    stamp here."""

    first: int
    batch: Int64
    seq: Int64
    time_us: Int64
    received_us: Int64
    series: UInt32
    place: UInt32
    value: npt.NDArray[np.float64]


def pages(source: apsw.Connection) -> Iterator[SamplePage]:
    """All samples. Raises `DamagedError` where they cannot be read whole."""
    last, place = 0, 0
    while True:
        ids, seqs, blobs = _read(source, last)
        if not ids:
            return
        last = ids[-1]
        try:
            page = _page(ids, seqs, blobs, place)
        except ValueError as error:
            raise DamagedError(f"batches {ids[0]} to {last}: {error}") from error
        place += len(page.seq)
        yield page


def _read(source: apsw.Connection, after: int) -> tuple[list[int], list[int], list[bytes]]:
    found: list[tuple[int, int, bytes]] = []
    size = 0
    cursor = source.execute(_PAGE, (after,))
    while size < PAGE_BYTES and (some := cast("list[tuple[int, int, bytes]]", list(islice(cursor, 32)))):
        found += some
        size += sum([len(row[2]) for row in some])
    cursor.close()
    return [row[0] for row in found], [row[1] for row in found], [row[2] for row in found]


def _page(ids: Sequence[int], seqs: Sequence[int], blobs: Sequence[bytes], place: int) -> SamplePage:
    parts = _at_once(blobs) if sum(map(len, blobs)) < SMALL_BYTES * len(blobs) else _one_by_one(blobs)
    n, stamps, time_us, received_us, offset, series, stamp, value = parts
    if (stamp >= np.repeat(stamps, n)).any():
        raise ValueError("samples without a message")
    begins = np.zeros(len(series) + 1, np.bool_)
    begins[np.cumsum(n)] = True
    if ((series[1:] < series[:-1]) & ~begins[1:-1]).any():
        raise ValueError("series out of order")
    before = place + np.cumsum(stamps) - stamps
    return SamplePage(
        place,
        np.repeat(np.array(ids, np.int64), stamps),
        np.repeat(np.array(seqs, np.int64), stamps) + offset,
        time_us,
        received_us,
        series,
        stamp + np.repeat(before.astype(np.uint32), n),
        value,
    )


class _Parts(NamedTuple):
    """Batches after one another; `n` and `stamps` have an entry a batch."""

    n: Int64
    stamps: Int64
    time_us: Int64
    received_us: Int64
    offset: UInt32
    series: UInt32
    stamp: UInt32
    value: npt.NDArray[np.float64]


def _one_by_one(blobs: Sequence[bytes]) -> _Parts:
    found = [decode(blob) for blob in blobs]
    return _Parts(
        np.array([len(one.value) for one in found]),
        np.array([len(one.time_us) for one in found]),
        np.concatenate([one.time_us for one in found]),
        np.concatenate([one.received_us for one in found]),
        np.concatenate([one.seq_offset for one in found]),
        np.concatenate([one.series for one in found]),
        np.concatenate([one.stamp for one in found]),
        np.concatenate([one.value for one in found]),
    )


def _at_once(blobs: Sequence[bytes]) -> _Parts:
    """As words of 32 bits, whose kind is told by what stands before them."""
    words, _, n, stamps = words_of(blobs)
    lengths = np.column_stack((np.full(len(blobs), 2), 2 * stamps, 2 * stamps, stamps, 2 * n, n, n))
    column = np.repeat(np.tile(np.arange(7, dtype=np.uint8), len(blobs)), lengths.ravel())
    words = words[np.argsort(column, kind="stable")]
    _, time_us, received_us, offset, value, series, stamp = np.split(words, np.cumsum(lengths.sum(axis=0))[:-1])
    return _Parts(
        n, stamps, time_us.view("<i8"), received_us.view("<i8"), offset, series, stamp, value.view("<f8")
    )  # fmt: skip
