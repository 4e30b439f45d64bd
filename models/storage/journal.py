"""What came at QoS 1 and is not in a segment yet, safe on the disk all the same, so that it may be acknowledged early.

Two files that take turns. A record is what came at once, as it came, under a check sum and with a number; every commit notes in its
segment up to which number all is stored. What lies behind that at a start was acknowledged and is stored then. Records are only
ever added behind what is safe, and a file begins again at its front once all in it is stored: what is left behind of the time
before has lower numbers, so it ends a reading like damage does. After a clean end nothing is left.
"""

import errno
import logging
import os
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from itertools import count, groupby
from pathlib import Path

from models.domain.arrivals import Arrival, Source
from models.domain.clock import Clock
from models.domain.problems import Problem
from models.storage.access import create_private_file, sync_folder
from models.storage.store_errors import environment_problem
from models.storage.workspace import Workspace

TURN_BYTES = 4 * 1024 * 1024
"""Then the other file's turn comes, as soon as all in it is stored. So much of each is on the disk from the start: writing over
what is there does not wait for the file system's own journal, with whatever else is being synced."""
RETRY_US = 1_000_000
SLOW_US, REST_US = 500_000, 5_000_000
"""A disk that took so long for one `keep` is left alone for a while: nothing is read from the socket meanwhile."""
CLOSE_LIMIT_S = 1.0
_HEAD = struct.Struct("<4sIIQQBHH")
"""Mark, CRC-32 of all behind it, bytes of packets, number, time of arrival, MQTT 5 or not, bytes of broker and of client id."""
_CHECKED_FROM = 8
_MARK = b"MSj1"
_log = logging.getLogger(__name__)


class ArrivalJournal:
    """`keep` is for the network thread, `stored` and `left_over` for the ingest thread.

    `problem`: why nothing can be kept at present; what comes is then acknowledged once it is stored. `busy_since_us`: monotonic
    time since when the disk is waited for, None: it is not.
    """

    def __init__(self, workspace: Workspace, clock: Clock, stored_to: int) -> None:
        """`stored_to`: number up to which all is in the segments. Raises `OSError`."""
        self.stored_to = stored_to
        self.problem: Problem | None = None
        self.busy_since_us: int | None = None
        self._clock = clock
        self._lock = threading.Lock()
        self._not_before_us = 0
        self._failed = False
        self._files: list[_File] = []
        try:
            for number in (1, 2):
                self._files.append(_File(workspace.journal(number)))
            sync_folder(workspace.root)
            found = sorted((record for file in self._files for record in file.read()), key=_number)
        except BaseException:
            self.close()
            raise
        self._left = [one for one in found if _number(one) > stored_to]
        self._numbers = count(max([stored_to, *(file.last for file in self._files)]) + 1)
        self._present = self._files[0]

    def left_over(self) -> list[tuple[Source, list[Arrival]]]:
        """What was kept in earlier runs and is not stored, by where it came from, in the order of arrival."""
        left = [one for one in self._left if _number(one) > self.stored_to]
        return [(source, [arrival for _, arrival in some]) for source, some in groupby(left, lambda one: one[0])]

    def next_number(self) -> int:
        return next(self._numbers)

    def keep(self, source: Source, arrivals: Sequence[Arrival]) -> bool:
        """See `models.domain.arrivals.Journal`."""
        if not self._lock.acquire(blocking=False):
            return False  # a thread that was replaced still hangs in here
        try:
            self.busy_since_us = began_us = self._clock.monotonic_us()
            if began_us < self._not_before_us:
                return False
            kept = self._write(source, arrivals)
            took_us = self._clock.monotonic_us() - began_us
            if took_us >= SLOW_US:
                self._not_before_us = began_us + took_us + REST_US
                _log.warning(
                    "the disk took %d ms for the journal; nothing more is written to it for a while", took_us // 1_000
                )
            return kept
        finally:
            self.busy_since_us = None
            self._lock.release()

    def _write(self, source: Source, arrivals: Sequence[Arrival]) -> bool:
        if arrivals[0].number <= max(file.last for file in self._files):
            return False  # of a thread that was replaced: behind a later one nobody would find what follows
        file = self._present
        try:
            if not self._failed:  # else it goes where the one before should have: that may be on the disk all the same
                for one in self._files:
                    if one.last <= self.stored_to:
                        one.begin_anew()
                file = self._present = self._whose_turn_it_is()
            file.add(b"".join(_record(source, one) for one in arrivals), arrivals[-1].number)
        except OSError as error:
            self._failed = True
            self._not_before_us = self._clock.monotonic_us() + RETRY_US
            known = environment_problem(error, file.path)
            self.problem = known.problem if known is not None else None
            _log.warning("the journal cannot be written: %s", error)
            return False
        self._failed, self.problem = False, None
        return True

    def stored(self, number: int) -> None:
        """All up to this number is in the segments."""
        self.stored_to = max(self.stored_to, number)
        if self._left and _number(self._left[-1]) <= self.stored_to:
            self._left = []

    def close(self) -> None:
        """Let go of the files. What is not stored is there at the next start; where all is, nothing is."""
        if not self._lock.acquire(timeout=CLOSE_LIMIT_S):
            return  # a disk that hangs in another thread: the end of the process lets go of them
        try:
            for file in self._files:
                if file.last <= self.stored_to:
                    file.forget()
                file.close()
        finally:
            self._lock.release()

    def _whose_turn_it_is(self) -> "_File":
        present = self._present
        other = self._files[present is self._files[0]]
        return other if present.end >= TURN_BYTES and not other.end else present


class _File:
    """`end` is where the next record goes, `last` the number of the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.end = self.last = 0
        if not path.exists():
            create_private_file(path)
        self._handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._take_room()

    def read(self) -> list[tuple[Source, Arrival]]:
        """Its records; what follows goes behind them."""
        records = []
        for end, source, arrival in _records(self._content()):
            records.append((source, arrival))
            self.end, self.last = end, arrival.number
        return records

    def _content(self) -> bytes:
        """All of it. Raises `OSError`: what just cannot be read is not its end."""
        content = bytearray()
        size = os.fstat(self._handle).st_size
        while len(content) < size:
            part = os.pread(self._handle, size - len(content), len(content))
            if not part:
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(self.path))
            content += part
        return bytes(content)

    def begin_anew(self) -> None:
        """Nothing in it is needed any more."""
        if self.end > TURN_BYTES * 2:
            os.ftruncate(self._handle, TURN_BYTES)
        self.end = 0

    def add(self, data: bytes, last: int) -> None:
        """Durable when it returns. After an `OSError` the next one goes where this one should."""
        rest, at = memoryview(data), self.end
        while rest:
            written = os.pwrite(self._handle, rest, at)
            rest, at = rest[written:], at + written
        os.fdatasync(self._handle)
        self.end, self.last = at, last

    def _take_room(self) -> None:
        size = os.fstat(self._handle).st_size
        try:
            if size < TURN_BYTES:
                os.pwrite(self._handle, bytes(TURN_BYTES - size), size)
                os.fdatasync(self._handle)
        except OSError as error:  # the disk may be full; then it grows as it is written
            _log.warning("%s begins without room of its own: %s", self.path, error)

    def forget(self) -> None:
        """All in it is stored: whatever becomes of the segments, it is not to come back."""
        if not self.last or self._handle < 0:
            return
        try:
            os.ftruncate(self._handle, 0)
            self._take_room()
        except OSError as error:
            _log.warning("%s keeps what is stored already: %s", self.path, error)

    def close(self) -> None:
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


def _number(record: tuple[Source, Arrival]) -> int:
    return record[1].number


def _record(source: Source, arrival: Arrival) -> bytes:
    broker, client = source.broker.encode(), source.client_id.encode()
    lengths = (source.version_5, len(broker), len(client))
    rest = _HEAD.pack(_MARK, 0, len(arrival.packets), arrival.number, arrival.received_us, *lengths)[_CHECKED_FROM:]
    rest = b"".join((rest, broker, client, arrival.packets))
    return _MARK + zlib.crc32(rest).to_bytes(4, "little") + rest


def _records(content: bytes) -> Iterator[tuple[int, Source, Arrival]]:
    """(where it ends, source, arrival) of all records up to the first that is not whole, or older than the one before."""
    at = before = 0
    while at + _HEAD.size <= len(content):
        mark, crc, size, number, received_us, version_5, broker, client = _HEAD.unpack_from(content, at)
        named = at + _HEAD.size
        packets = named + broker + client
        end = packets + size
        if mark != _MARK or number < before or zlib.crc32(content[at + _CHECKED_FROM : end]) != crc:
            return
        between = named + broker
        source = Source(content[named:between].decode(), content[between:packets].decode(), bool(version_5))
        yield end, source, Arrival(number, received_us, content[packets:end])
        at, before = end, number
