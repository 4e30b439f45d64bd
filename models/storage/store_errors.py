"""From what the engine or the file system says to a problem that somebody can act on."""

import contextlib
import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import peewee

from models.domain.problems import EnvironmentProblem, trouble


class DamagedError(Exception):
    """A segment that is missing, of an unknown layout, or not as it was written."""


class UnmadeError(DamagedError):
    """A segment whose file is not there, or is there and has nothing in it: not even its tables."""


DAMAGED = (apsw.CorruptError, apsw.NotADBError)
"""The file itself is broken, not its surroundings."""
IMPOSSIBLE = (TypeError, ValueError, OverflowError, IndexError)
"""What comes of values that no writer of ours wrote, such as a batch without a number."""
UNSTORABLE = (OverflowError, TypeError, ValueError, apsw.TooBigError, apsw.MismatchError, apsw.ConstraintError)
"""One row is at fault, not the store."""
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LEAST_ROOM_BYTES = 256 * 1024


def engine_error(error: BaseException) -> BaseException:
    """The engine's own error below peewee's."""
    if isinstance(error, peewee.PeeweeException):
        return error.__cause__ or error.__context__ or error
    return error


def environment_problem(error: BaseException, path: Path) -> EnvironmentProblem | None:
    """The problem behind an error of opening, reading or writing `path`; None where the mistake is our own."""
    error = engine_error(error)
    detail = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    full = isinstance(error, apsw.FullError) or (isinstance(error, OSError) and error.errno in NO_SPACE)
    if full or (isinstance(error, (apsw.IOError, apsw.CantOpenError)) and _no_room(path)):
        return trouble("store.full", path=str(path))
    if isinstance(error, (apsw.ReadOnlyError, apsw.PermissionsError)) or (
        isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM)
    ):
        return trouble("workspace.read-only", path=str(path), detail=detail)
    if isinstance(error, DAMAGED):
        return trouble("store.corrupt", path=str(path), detail=str(error))
    if isinstance(
        error, (apsw.IOError, apsw.CantOpenError, apsw.BusyError, apsw.LockedError, apsw.ProtocolError, OSError)
    ):
        return trouble("store.io", path=str(path), detail=detail)
    return None


def _no_room(path: Path) -> bool:
    """The engine calls it by another name where a full disk keeps it from making its files beside a database."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(path.parent).free < _LEAST_ROOM_BYTES
    return False


@contextlib.contextmanager
def problems_of(path: Path, let: tuple[type[BaseException], ...] = ()) -> Iterator[None]:
    """Raise what the engine or the disk says about `path` as an `EnvironmentProblem`; `let` some through as they are."""
    try:
        yield
    except Exception as error:
        if let and isinstance(error, let):
            raise
        problem = environment_problem(error, path)
        if problem is None:
            raise
        raise problem from error
