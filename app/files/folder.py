"""The folder that rows are written to: files by day and size, and a cursor that says which of their bytes count.

What is there is cut back to the cursor when the folder is entered, so nothing is lost or doubled by a kill, a full disk or a
power cut. Rows are appended, made durable, and only then told by the cursor.
"""

import contextlib
import datetime
import errno
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from app.files.cursor import CurrentFile, Cursor, load_cursor, save_cursor
from app.files.names import FileName, our_files
from app.files.options import FilesOptions
from models.domain.problems import trouble
from models.storage.access import sync_folder
from models.storage.history.follow import Piece, Place

DAY_US = 86_400_000_000
_EPOCH = datetime.date(1970, 1, 1).toordinal()


class FilesFolder:
    """One thread. Every method raises `OSError` where the folder fails it; then `leave`, and `enter` again later."""

    def __init__(self, options: FilesOptions, workspace: str, since: int, header: Callable[[str], str]) -> None:
        """`since`: rows of newer segments are asked for. `header` tells the first line of a dataset's files."""
        self._options = options
        self._since = since
        self._header = header
        self._handles: dict[str, int] = {}  # of current files that were written to
        self._ended: list[int] = []  # of files that are full, not saved yet
        self._identity: tuple[int, int] | None = None  # of the entered folder
        self._device = 0  # that it was on, once entered
        self.cursor = Cursor(workspace, since, Place(since + 1))
        self._saved = self.cursor.copy()
        self.is_untidy = True
        """Were files finished since whoever tidies up set this to false?"""

    @property
    def path(self) -> Path:
        return self._options.folder

    def is_entered(self) -> bool:
        """Are we in it, and is it still the same, with the files that we write to?"""
        try:
            return (
                self._identity is not None
                and _identity(self.path) == self._identity
                and all(
                    os.path.samestat(os.fstat(handle), (self.path / self.cursor.current[dataset].name).stat())
                    for dataset, handle in self._handles.items()
                )
            )
        except OSError:
            return False

    def enter(self) -> None:
        """Go on where the files in it end; make the folder where it is missing. Raises also `EnvironmentProblem`
        files.foreign: it belongs to another workspace."""
        self.leave()
        device = self._find()
        found = load_cursor(self.path)
        if found is None and self._device not in (0, device):
            raise _other_folder()
        if found is not None and found.workspace != self.cursor.workspace:
            raise trouble("files.foreign", path=str(self.path), detail="it holds the files of another workspace")
        self.cursor = found or self.cursor
        self._go_on()
        for name in self.cursor.begun:
            (self.path / name).unlink(missing_ok=True)
        self.cursor.begun = []
        for dataset, file in list(self.cursor.current.items()):
            if not _cut_back(self.path / file.name, file.size):
                del self.cursor.current[dataset]  # somebody took it away: the next row begins another
        self.save()
        self._identity, self._device = _identity(self.path), device
        self.is_untidy = True

    def leave(self) -> None:
        """Let go; what was not saved does not count."""
        for handle in (*self._handles.values(), *self._ended):
            with contextlib.suppress(OSError):  # as a full disk may say only now
                os.close(handle)
        self._handles.clear()
        self._ended.clear()
        self.cursor = self._saved.copy()
        self._identity = None

    def write(self, piece: Piece) -> None:
        """Append the lines of a piece; they count once saved."""
        for day, lines in _by_day(piece, self._latest_day(piece)):
            handle = self._handle(piece.dataset, day, piece.place.segment)
            file = self.cursor.current[piece.dataset]
            file.size += _write_all(handle, "".join(lines).encode("utf-8", "backslashreplace"))
            file.segment = piece.place.segment
            self.cursor.rows[piece.dataset] = self.cursor.rows.get(piece.dataset, 0) + len(lines)
        self.cursor.place = piece.place
        self.cursor.lost += piece.lost

    def save(self) -> None:
        """Make what was written durable, and let it count."""
        for handle in (*self._handles.values(), *self._ended):
            os.fsync(handle)
        save_cursor(self.path, self.cursor)
        self._saved = self.cursor.copy()
        while self._ended:
            os.close(self._ended.pop())

    def finished(self) -> list[FileName]:
        """Files that nothing is added to any more, the oldest first."""
        current = {file.name for file in self.cursor.current.values()}
        return [one for one in our_files(self.path) if str(one) not in current]

    def _find(self) -> int:
        """The device that the folder is on. A folder that was there before is not made anew on another one: whatever it
        was on is not mounted."""
        nearest = self.path
        while not nearest.exists():
            nearest = nearest.parent
        if nearest != self.path:
            if self._device not in (0, nearest.stat().st_dev):
                raise _other_folder()
            self.path.mkdir(mode=0o700, parents=True)
        return self.path.stat().st_dev

    def _go_on(self) -> None:
        """A recorder began since, perhaps on a store that was brought back from a copy: then it numbers segments anew."""
        if self.cursor.since != self._since and self.cursor.place.segment > self._since:
            self.cursor.place = Place(self._since + 1)
        self.cursor.since = self._since

    def _latest_day(self, piece: Piece) -> str:
        """Within a segment days only go on: arrivals may be in disorder by seconds."""
        file = self.cursor.current.get(piece.dataset)
        name = FileName.parse(file.name) if file is not None and file.segment == piece.place.segment else None
        return name.day if name is not None else ""

    def _handle(self, dataset: str, day: str, segment: int) -> int:
        file = self.cursor.current.get(dataset)
        name = FileName.parse(file.name) if file is not None else None
        fits = name is not None and (name.day, name.format) == (day, self._options.format)
        if file is None or not fits or file.size >= self._options.file_bytes:
            return self._begin(dataset, day, segment)
        if dataset not in self._handles:
            self._handles[dataset] = os.open(self.path / file.name, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        return self._handles[dataset]

    def _begin(self, dataset: str, day: str, segment: int) -> int:
        """The cursor names a file before it is there, so that a kill leaves none that nobody knows of."""
        taken = [one.number for one in our_files(self.path) if (one.dataset, one.day) == (dataset, day)]
        name = str(FileName(dataset, day, max(taken, default=0) + 1, self._options.format))
        self._saved.begun.append(name)
        save_cursor(self.path, self._saved)
        if dataset in self._handles:
            self._ended.append(self._handles.pop(dataset))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        handle = self._handles[dataset] = os.open(self.path / name, flags, 0o600)
        sync_folder(self.path)
        size = _write_all(handle, self._header(dataset).encode())
        self.cursor.current[dataset] = CurrentFile(name, size, segment)
        self.is_untidy = True
        return handle


def _by_day(piece: Piece, latest: str) -> Iterator[tuple[str, Sequence[str]]]:
    """Lines by the day of their arrival in UTC, no day before `latest`."""
    if not piece.lines:
        return
    first, last = min(piece.received_us) // DAY_US, max(piece.received_us) // DAY_US
    if first == last:
        yield max(latest, _day(first)), piece.lines
        return
    days = [received_us // DAY_US for received_us in piece.received_us]
    reached = latest
    for day, pairs in groupby(zip(days, piece.lines, strict=True), key=lambda pair: pair[0]):
        reached = max(reached, _day(day))
        yield reached, [line for _, line in pairs]


def _day(days: int) -> str:
    return datetime.date.fromordinal(_EPOCH + days).isoformat()


def _write_all(handle: int, data: bytes) -> int:
    """Answers how much that was."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]
    return len(data)


def _cut_back(path: Path, size: int) -> bool:
    """Take off what does not count; false where the file is gone or too short."""
    try:
        found = path.stat().st_size
    except FileNotFoundError:
        return False
    if found > size:
        os.truncate(path, size)
    return found >= size


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _other_folder() -> OSError:
    return OSError(errno.ENODEV, "what it was on is not mounted")
