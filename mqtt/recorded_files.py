"""Files of recorded traffic, plain or gzipped, as slices of messages in order of their time. Memory stays small."""

import contextlib
import gzip
import hashlib
import os
import stat
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO, NamedTuple

from models.domain.messages import RawMessage
from models.domain.problems import trouble
from models.domain.recorded import ImportedFile, SkippedLine
from mqtt.recorded_lines import Lines, NoRecordError, lines_like, topic_of

SLICE_MESSAGES = 2_000
SLICE_BYTES = 4 * 1024 * 1024
SLICE_US = 3_600_000_000
"""Recorded time in a slice: what is summed up for each ten seconds of it has to fit in memory."""
LONGEST_LINE_BYTES = 64 * 1024 * 1024
STEP_US = 1_000_000
"""Times that go back by less are no step; within one slice they are put in order."""
WIDEST_WINDOW = 100_000
_MOST_TOPICS = 100_000  # known by heart
_SAMPLE_BYTES = 1024 * 1024  # of the beginning and of the end, to tell one file from another
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)


class Slice(NamedTuple):
    """`steps_back`: time begins again here, before the end of the slice before. One without messages only says that there was
    much to leave out: whoever waits wants to know how far we are."""

    messages: list[RawMessage]
    steps_back: bool


class RecordedFile(NamedTuple):
    """A file whose first line is a record."""

    path: Path
    told: ImportedFile
    lines: Lines
    first_us: int


def survey(paths: Sequence[Path]) -> list[RecordedFile]:
    """Look at the beginning of each file; answers them in the order of their first records.

    Raises `EnvironmentProblem` file.unusable or import.no-recording.
    """
    return sorted((_look_at(path) for path in paths), key=attrgetter("first_us"))


class RecordedTraffic:
    """Reads files one after the other. One thread. The figures tell what was read."""

    def __init__(self, files: Sequence[RecordedFile]) -> None:
        self._files = files
        self.bytes_total = sum(file.told.bytes for file in files)
        self.bytes_done = 0
        self.skipped = 0
        self.first_skipped: SkippedLine | None = None
        self._window = SLICE_MESSAGES
        self._last_us = 0

    def slices(self) -> Iterator[Slice]:
        """Lines that are no records are counted and left out. Raises `EnvironmentProblem` file.unusable."""
        before = 0
        for file in self._files:
            try:
                with _opened(file.path) as stored:
                    for messages in self._windows(file, stored):
                        self.bytes_done = before + min(stored.tell(), file.told.bytes)
                        yield from self._in_order(messages)
            except OSError as error:
                raise _unusable(file.path, error) from error
            before += file.told.bytes
            self.bytes_done = before

    def picked(self, wanted: Callable[[bytes], bool]) -> Iterator[list[RawMessage]]:
        """Only messages on topics that are wanted, as they stand in the files, some now and then; without those that are no
        records. Raises `EnvironmentProblem` file.unusable."""
        known: dict[str | None, bool] = {}
        for file in self._files:
            found: list[RawMessage] = []
            size = 0
            try:
                with _opened(file.path) as stored:
                    for _, line in self._lines(file, stored):
                        topic = topic_of(line)
                        if topic not in known:
                            known = {None: True} if len(known) >= _MOST_TOPICS else known
                            known[topic] = topic is None or wanted(topic.encode())
                        if known[topic]:
                            with contextlib.suppress(NoRecordError):
                                found.append(file.lines.read(line))
                        size += len(line)
                        if size >= SLICE_BYTES:
                            yield [one for one in found if wanted(one.topic)]
                            found, size = [], 0
            except OSError as error:
                raise _unusable(file.path, error) from error
            yield [one for one in found if wanted(one.topic)]

    def _windows(self, file: RecordedFile, stored: BinaryIO) -> Iterator[list[RawMessage]]:
        found: list[RawMessage] = []
        size = 0
        for number, line in self._lines(file, stored):
            try:
                found.append(file.lines.read(line))
            except NoRecordError as error:
                cut = not line.endswith(b"\n")
                self._skip(file.path, number, f"cut off ({error})" if cut else str(error))
            size += len(line)
            if len(found) >= self._window or size >= SLICE_BYTES * (self._window // SLICE_MESSAGES):
                yield found
                found, size = [], 0
        if found:
            yield found

    def _lines(self, file: RecordedFile, stored: BinaryIO) -> Iterator[tuple[int, bytes]]:
        """Lines that say something, with their number. A damaged archive ends where it is damaged."""
        stream = _unpacked(stored)
        number = 0
        try:
            while line := stream.readline(LONGEST_LINE_BYTES):
                number += 1
                if len(line) == LONGEST_LINE_BYTES and not line.endswith(b"\n"):
                    self._skip(file.path, number, "longer than 64 MiB")
                    while (rest := stream.readline(LONGEST_LINE_BYTES)) and not rest.endswith(b"\n"):
                        pass
                elif line.strip(_SPACE):
                    yield number, line.removeprefix(_BOM) if number == 1 else line
        except _DAMAGED as error:
            self._skip(file.path, number + 1, f"the archive is damaged from here on ({error})")

    def _in_order(self, messages: list[RawMessage]) -> Iterator[Slice]:
        """A window by time. Where it begins long before the last one ended, the next windows are wider: perhaps the file
        is out of order altogether."""
        if not messages:
            yield Slice([], False)
            return
        messages.sort(key=attrgetter("received_us"))
        steps_back = messages[0].received_us < self._last_us - STEP_US
        self._last_us = messages[-1].received_us
        if steps_back:
            self._window = min(self._window * 10, WIDEST_WINDOW)
        at = 0
        while at < len(messages):
            end = min(at + SLICE_MESSAGES, len(messages))
            last_us = messages[at].received_us + SLICE_US
            if messages[end - 1].received_us > last_us:
                end = bisect_right(messages, last_us, at, end, key=attrgetter("received_us"))
            yield Slice(messages[at:end], steps_back and not at)
            at = end

    def _skip(self, path: Path, number: int, detail: str) -> None:
        self.skipped += 1
        if self.first_skipped is None:
            self.first_skipped = SkippedLine(str(path), number, detail)


def _look_at(path: Path) -> RecordedFile:
    try:
        with _opened(path) as stored:
            size = os.fstat(stored.fileno()).st_size
            told = ImportedFile(str(path), _digest(stored, size), size)
            stored.seek(0)
            number, line = _first_line(_unpacked(stored))
    except OSError as error:
        raise _unusable(path, error) from error
    except _DAMAGED as error:
        raise trouble("import.no-recording", path=str(path), detail=f"the archive is damaged ({error})") from error
    if not line:
        raise trouble("import.no-recording", path=str(path), detail="it is empty")
    try:
        lines = lines_like(line)
    except NoRecordError as error:
        detail = f"line {number} is no record, {error}"
        raise trouble("import.no-recording", path=str(path), detail=detail) from error
    return RecordedFile(path, told, lines, lines.read(line).received_us)


def _opened(path: Path) -> BinaryIO:
    """For reading. Does not wait, as opening a pipe does until somebody writes to it. Raises `OSError`, and
    `EnvironmentProblem` file.unusable for what is no regular file."""
    stored = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115 - whoever asked closes it
    if not stat.S_ISREG(os.fstat(stored.fileno()).st_mode):
        stored.close()
        raise trouble("file.unusable", path=str(path), detail="it is no regular file")
    return stored


def _first_line(stream: BinaryIO) -> tuple[int, bytes]:
    """The first line that says something. What does not begin as an object is not read whole: it may have no lines."""
    number = 0
    while line := stream.readline(1024):
        number += 1
        line = line.removeprefix(_BOM) if number == 1 else line
        if begun := line.strip(_SPACE):
            whole = line.endswith(b"\n") or begun[:1] != b"{"
            return number, line if whole else line + stream.readline(LONGEST_LINE_BYTES)
    return number, b""


def _unpacked(stored: BinaryIO) -> BinaryIO:
    magic = stored.read(len(_GZIP))
    stored.seek(0)
    return gzip.open(stored) if magic == _GZIP else stored  # type: ignore[return-value]


def _digest(stored: BinaryIO, size: int) -> str:
    """Of size, beginning and end: another recording differs in one of them, and 2 GB need not be read twice."""
    found = hashlib.sha256(str(size).encode())
    found.update(stored.read(_SAMPLE_BYTES))
    stored.seek(max(0, size - _SAMPLE_BYTES))
    found.update(stored.read(_SAMPLE_BYTES))
    return found.hexdigest()


def _unusable(path: Path, error: OSError) -> Exception:
    return trouble("file.unusable", path=str(path), detail=error.strerror or str(error))
