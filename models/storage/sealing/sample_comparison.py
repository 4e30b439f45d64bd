"""Does a sealed segment hold the samples of its source? Asked of every one before it takes the source's place."""

from collections.abc import Iterator

import apsw
import numpy as np

from models.storage.sealing.sample_order import Ordered, read_in_order
from models.storage.sealing.sample_pages import SamplePage, pages
from models.storage.segments.sample_pick import Float64, Int64, UInt32
from models.storage.store_errors import DamagedError

PART_SAMPLES = 250_000
_EVER = (-(1 << 63), (1 << 63) - 1)


def compare_samples(source: apsw.Connection, target: apsw.Connection) -> None:
    """Raises `DamagedError` at the first difference, and the engine's errors."""
    right = np.zeros((6, 0), np.int64)
    written = _written(target)
    for left in map(_rows, pages(source)):
        while right.shape[1] < left.shape[1]:
            more = next(written, None)
            if more is None:
                raise DamagedError("samples are missing")
            right = np.hstack((right, more))
        n = left.shape[1]
        wrong = np.flatnonzero((left != right[:, :n]).any(axis=0))
        if len(wrong):
            raise DamagedError(f"a sample of batch {left[0, wrong[0]]} is not as it came")
        right = right[:, n:]
    if right.shape[1] or any(more.shape[1] for more in written):
        raise DamagedError("there are samples that never came")


def _rows(page: SamplePage) -> Int64:
    """Batch, message, times, series and bits of every sample, in the order of storing."""
    order = np.argsort(page.place, kind="stable")
    return _stacked(page, page.place[order] - np.uint32(page.first), page.series[order], page.value[order])


def _written(target: apsw.Connection) -> Iterator[Int64]:
    for part in read_in_order(target, *_EVER, _EVER, None, _fail):
        for low in range(0, len(part.stamp), PART_SAMPLES):
            some = slice(low, low + PART_SAMPLES)
            yield _stacked(part, part.stamp[some], part.series[some], part.value[some])


def _stacked(of: SamplePage | Ordered, stamp: Int64 | UInt32, series: UInt32, value: Float64) -> Int64:
    times = (of.batch[stamp], of.seq[stamp], of.time_us[stamp], of.received_us[stamp])
    return np.stack((*times, series.astype(np.int64), value.view(np.int64)))


def _fail(error: Exception) -> None:
    raise DamagedError(str(error)) from error
