"""The order of storing: batch, message and number of samples of every stamp of a segment."""

import apsw
import numpy as np
import numpy.typing as npt

from models.storage.sealing.number_column import pack
from models.storage.sealing.sample_pages import SamplePage

STAMPS = 65_536
STAMP_SAMPLES = 1 << 20
"""Whoever reads all samples in order holds as many at a time."""

Int64 = npt.NDArray[np.int64]


class StampWriter:
    """Takes the pages of a segment and fills `sample_stamp`."""

    def __init__(self, target: apsw.Connection) -> None:
        self._target = target
        self._times: list[Int64] = []
        self._received: list[Int64] = []
        self._first = 0
        self._waiting = np.zeros((4, 0), np.int64)  # batch, seq, width, received

    def add(self, page: SamplePage) -> None:
        width = np.bincount(page.place - np.uint32(page.first), minlength=len(page.seq))
        self._times.append(page.time_us)
        self._received.append(page.received_us)
        self._waiting = np.hstack((self._waiting, (page.batch, page.seq, width, page.received_us)))
        while self._waiting.shape[1] >= STAMPS or self._waiting[2].sum() >= STAMP_SAMPLES:
            self._write()

    def finish(self) -> None:
        """All pages were added."""
        while self._waiting.shape[1]:
            self._write()

    def times(self) -> tuple[Int64, Int64]:
        """Own time and arrival of every stamp, by its place."""
        nothing = np.zeros(0, np.int64)
        return np.concatenate([nothing, *self._times]), np.concatenate([nothing, *self._received])

    def _write(self) -> None:
        most = int(np.searchsorted(np.cumsum(self._waiting[2]), STAMP_SAMPLES, side="right"))
        n = _whole_batches(self._waiting[0], max(1, min(STAMPS, most)))
        batch, seq, width, received = self._waiting[:, :n]
        self._target.execute(
            "INSERT INTO sample_stamp VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self._first, n, int(width.sum()), int(received.min()), int(received.max()), int(batch[0]), int(batch[-1]),
             pack(batch), pack(seq), pack(width.astype(np.uint32))),
        )  # fmt: skip
        self._first += n
        self._waiting = self._waiting[:, n:]


def _whole_batches(batch: Int64, n: int) -> int:
    """`n` or a little less, so that no batch is cut; one batch at least."""
    if n >= len(batch):
        return len(batch)
    start, end = np.searchsorted(batch, batch[n]), np.searchsorted(batch, batch[n], side="right")
    return int(start or end)
