"""The samples of one batch as bytes: little-endian columns, sorted by series, read with numpy and nothing else.

    u32 n_samples, u32 n_stamps
    i64 time_us[n_stamps], i64 received_us[n_stamps], u32 seq_offset[n_stamps]   (message = batch.first_seq + offset)
    f64 value[n_samples], u32 series[n_samples], u32 stamp[n_samples]

A stamp is one message that held samples; `stamp` says which one a sample came with. Within a series, arrival order is kept.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.batch import RecordBatch

_HEADER = 8
_CUT_SHORT = "sample columns are cut short"
_MISFIT = "sample columns do not fit their header"


class Samples(NamedTuple):
    """Views into the stored bytes; `series` ascends."""

    time_us: npt.NDArray[np.int64]
    received_us: npt.NDArray[np.int64]
    seq_offset: npt.NDArray[np.uint32]
    value: npt.NDArray[np.float64]
    series: npt.NDArray[np.uint32]
    stamp: npt.NDArray[np.uint32]

    def of(self, series: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Own time, arrival and value of one series, in order of arrival; empty arrays where it is absent."""
        start, end = np.searchsorted(self.series, (series, series + 1))
        stamps = self.stamp[start:end]
        return self.time_us[stamps], self.received_us[stamps], self.value[start:end]


def encode(batch: RecordBatch) -> bytes | None:
    """Columns of a batch; None where it holds no sample."""
    if not batch.sample_series:
        return None
    rows = np.array(batch.stamp_row, np.uint32)
    received = np.array(batch.columns.received_us, np.int64)[rows]
    series = np.frombuffer(batch.sample_series, np.uint32)
    stamp = np.repeat(np.arange(len(rows), dtype=np.uint32), np.array(batch.stamp_count, np.int64))
    order = np.argsort(series, kind="stable")
    value = np.fromiter(batch.sample_value, "<f8", len(series))
    times = np.array(batch.stamp_time_us, "<i8")
    return join(Samples(times, received, rows, value[order], series[order], stamp[order]))


def join(samples: Samples) -> bytes:
    """The stored bytes of columns."""
    return b"".join(
        (
            np.array((len(samples.series), len(samples.time_us)), "<u4").tobytes(),
            samples.time_us.astype("<i8").tobytes(),
            samples.received_us.astype("<i8").tobytes(),
            samples.seq_offset.astype("<u4").tobytes(),
            samples.value.astype("<f8").tobytes(),
            samples.series.astype("<u4").tobytes(),
            samples.stamp.astype("<u4").tobytes(),
        )
    )


class Words(NamedTuple):
    """Some blobs as one array of 32-bit words; of each, where it begins, and how many samples and stamps it holds."""

    words: npt.NDArray[np.uint32]
    start: npt.NDArray[np.int64]
    n: npt.NDArray[np.int64]
    stamps: npt.NDArray[np.int64]


def words_of(blobs: Sequence[bytes]) -> Words:
    """For whoever reads many blobs at once. Raises `ValueError` where a length does not fit its header."""
    sizes = np.fromiter(map(len, blobs), np.int64, len(blobs))
    if (sizes % 4).any() or (sizes < _HEADER).any():
        raise ValueError(_CUT_SHORT)
    words = np.frombuffer(b"".join(blobs), "<u4")
    start = (np.cumsum(sizes) - sizes) // 4
    n, stamps = words[start].astype(np.int64), words[start + 1].astype(np.int64)
    if (_HEADER + 20 * stamps + 16 * n != sizes).any():
        raise ValueError(_MISFIT)
    return Words(words, start, n, stamps)


def decode(data: bytes) -> Samples:
    """Views of a stored blob. Raises `ValueError` where the length does not fit the header."""
    if len(data) < _HEADER:
        raise ValueError(_CUT_SHORT)
    n, stamps = (int(x) for x in np.frombuffer(data, "<u4", 2))
    if len(data) != _HEADER + 20 * stamps + 16 * n:
        raise ValueError(_MISFIT)
    at = _HEADER
    time_us = np.frombuffer(data, "<i8", stamps, at)
    received_us = np.frombuffer(data, "<i8", stamps, at + 8 * stamps)
    offset = np.frombuffer(data, "<u4", stamps, at + 16 * stamps)
    at += 20 * stamps
    return Samples(
        time_us, received_us, offset,
        np.frombuffer(data, "<f8", n, at),
        np.frombuffer(data, "<u4", n, at + 8 * n),
        np.frombuffer(data, "<u4", n, at + 12 * n),
    )  # fmt: skip
