"""One file of the journal: records of what came, behind a head that says what each of them begins with.

That is the file's mark, drawn by chance whenever it begins anew. Nobody who sends messages can know it; so behind damage the next
record is found by looking for it, whatever the messages hold, and what is left behind of the time before is nobody's. A new mark
goes to the disk with the first record that bears it: all before is stored by then, so it does not matter which of them a power cut
lets through. The head stands twice, in blocks of their own, as all depends on it.
"""

import errno
import logging
import os
import secrets
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from models.domain.arrivals import Arrival, Source
from models.storage.access import create_private_file

_BLOCK = 4_096
_FIRST_AT = 2 * _BLOCK
_MARK_BYTES = 16
_HEAD = struct.Struct(f"<8sI{_MARK_BYTES}s64s")
"""Form, CRC-32 of all behind it, mark, id of the workspace."""
_FORM = b"MSarriv2"
_RECORD = struct.Struct(f"<{_MARK_BYTES}sIIBHH")
"""Mark, CRC-32 of all behind it, bytes behind this, MQTT 5 or not, bytes of broker and of client id, which follow with the arrivals."""
_ARRIVAL = struct.Struct("<QQI")
"""Number, time of arrival, bytes of packets, which follow."""
_CRC = struct.Struct("<I")
_log = logging.getLogger(__name__)


class Record(NamedTuple):
    """What was kept at once; there is one arrival at least. `gap`: damaged bytes between it and the record before."""

    source: Source
    arrivals: list[Arrival]
    end: int
    gap: int = 0


class JournalFile:
    """`records` is what it holds, in order; `end` where the next one goes, 0: at the front with a new head; `last` the number of
    the last arrival. `unusable`: it is of another workspace, or nothing of it can be read; then it is only to be closed."""

    def __init__(self, path: Path, owner: str, room: int, *, adopts: bool = False) -> None:
        """`owner`: id of the workspace; a file of another one is taken over where it `adopts`. `room`: so many bytes are on the disk from the start. Raises `OSError`: what just
        cannot be read is not damaged."""
        self.path, self._room, self._adopts = path, room, adopts
        self._owner = owner.encode()
        self.end = self.last = 0
        self._mark = b""
        self.records: list[Record] = []
        self.unusable: Literal["", "foreign", "damaged"] = ""
        if not path.exists():
            create_private_file(path)
        self._handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._read(self._content())
        except BaseException:
            self.close()
            raise

    def take_records(self) -> list[Record]:
        """Once; it does not hold them any more."""
        records, self.records = self.records, []
        return records

    def begin_anew(self) -> None:
        """Nothing in it is needed any more."""
        if self.end > self._room * 2:
            os.ftruncate(self._handle, self._room)
        self.end, self._mark = 0, secrets.token_bytes(_MARK_BYTES)

    def add(self, source: Source, arrivals: Sequence[Arrival]) -> None:
        """Durable when it returns. After an `OSError` the next one goes where this one should."""
        record = _record(self._mark, source, arrivals)
        end = self._put(record if self.end else self._head() + record, self.end)
        os.fdatasync(self._handle)
        self.end, self.last = end, arrivals[-1].number

    def forget(self) -> None:
        """All in it is stored: whatever becomes of the segments, it is not to come back."""
        if self.last and self._handle >= 0:
            self._empty()

    def close(self) -> None:
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def _content(self) -> bytes:
        content = bytearray()
        size = os.fstat(self._handle).st_size
        while len(content) < size:
            part = os.pread(self._handle, size - len(content), len(content))
            if not part:
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(self.path))
            content += part
        return bytes(content)

    def _read(self, content: bytes) -> None:
        found = _read_head(content)
        if found is None:
            if content.strip(b"\0"):
                self.unusable = "damaged"
            else:
                self._empty()
            return
        self._mark, owner = found
        if owner != self._owner and not self._adopts:
            self.unusable = "foreign"
            return
        if content[:_FIRST_AT] != self._head():
            self._mend_head()
        self.end = _FIRST_AT
        self.records = list(_records(content, self._mark))
        if self.records:
            self.end, self.last = self.records[-1].end, self.records[-1].arrivals[-1].number

    def _mend_head(self) -> None:
        """One of the two is damaged, or of the turn before: all that follows depends on the other."""
        try:
            self._put(self._head(), 0)
            os.fdatasync(self._handle)
        except OSError as error:
            _log.warning("the head of %s could not be mended: %s", self.path, error)

    def _empty(self) -> None:
        """Where its room cannot be had, as the disk may be full, it grows as it is written."""
        self.begin_anew()
        try:
            os.ftruncate(self._handle, min(self._room, os.fstat(self._handle).st_size))
            self._put(self._head().ljust(self._room, b"\0"), 0)
            os.fdatasync(self._handle)
        except OSError as error:
            _log.warning("%s could not be made empty: %s", self.path, error)
        else:
            self.end, self.last = _FIRST_AT, 0

    def _head(self) -> bytes:
        rest = _HEAD.pack(_FORM, 0, self._mark, self._owner)[len(_FORM) + _CRC.size :]
        return (_FORM + _CRC.pack(zlib.crc32(rest)) + rest).ljust(_BLOCK, b"\0") * 2

    def _put(self, data: bytes, at: int) -> int:
        rest = memoryview(data)
        while rest:
            written = os.pwrite(self._handle, rest, at)
            rest, at = rest[written:], at + written
        return at


def _read_head(content: bytes) -> tuple[bytes, bytes] | None:
    """(mark, owner) of the first head that is whole."""
    for at in (0, _BLOCK):
        if len(content) >= at + _HEAD.size:
            form, crc, mark, owner = _HEAD.unpack_from(content, at)
            if form == _FORM and zlib.crc32(content[at + len(_FORM) + _CRC.size : at + _HEAD.size]) == crc:
                return mark, owner.rstrip(b"\0")
    return None


def _record(mark: bytes, source: Source, arrivals: Sequence[Arrival]) -> bytes:
    broker, client = source.broker.encode(), source.client_id.encode()
    parts = [b"", broker, client]
    for number, received_us, packets in arrivals:
        parts += (_ARRIVAL.pack(number, received_us, len(packets)), packets)
    size = sum(map(len, parts))
    parts[0] = _RECORD.pack(mark, 0, size, source.version_5, len(broker), len(client))[_MARK_BYTES + _CRC.size :]
    rest = b"".join(parts)
    return b"".join((mark, _CRC.pack(zlib.crc32(rest)), rest))


def _records(content: bytes, mark: bytes) -> Iterator[Record]:
    """All that are whole. A lower number than that of the one before is of a write that failed and was made again."""
    at = end = _FIRST_AT
    last = 0
    while (at := content.find(mark, at)) >= 0:
        record = _read_record(content, at)
        if record is None or record.arrivals[0].number <= last:
            at += _MARK_BYTES
        else:
            yield record._replace(gap=at - end)
            at = end = record.end
            last = record.arrivals[-1].number


def _read_record(content: bytes, at: int) -> Record | None:
    body = at + _RECORD.size
    if len(content) < body:
        return None
    _, crc, size, version_5, broker, client = _RECORD.unpack_from(content, at)
    end = body + size
    if end > len(content) or zlib.crc32(memoryview(content)[at + _MARK_BYTES + _CRC.size : end]) != crc:
        return None
    between, at = body + broker, body + broker + client
    source = Source(content[body:between].decode(), content[between:at].decode(), bool(version_5))
    arrivals = []
    while at < end:
        number, received_us, length = _ARRIVAL.unpack_from(content, at)
        packets = at + _ARRIVAL.size
        at = packets + length
        arrivals.append(Arrival(number, received_us, content[packets:at]))
    return Record(source, arrivals, end)
