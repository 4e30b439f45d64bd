"""A file that appears whole or not at all, whatever interrupts its making."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from models.domain.problems import trouble
from models.storage.access import sync_folder
from models.storage.store_errors import NO_SPACE


@contextlib.contextmanager
def whole_file(path: Path, *, overwrite: bool, rights: int = 0o666) -> Iterator[BinaryIO]:
    """What is written inside the `with` becomes `path`, durably, once it ends well. `rights` as far as the umask lets them.

    Raises `EnvironmentProblem` file.exists (unless `overwrite`), file.unusable and file.full; an `OSError` inside counts as
    one of this file.
    """
    if path.exists() and not overwrite:
        raise trouble("file.exists", path=str(path))
    try:
        part = beside(path)
        handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, rights)
    except (OSError, ValueError) as error:
        raise trouble("file.unusable", path=str(path), detail=_reason(error)) from error
    try:
        with os.fdopen(handle, "wb", buffering=1024 * 1024) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        _appear(part, path, overwrite)
    except OSError as error:
        if error.errno in NO_SPACE:
            raise trouble("file.full", path=str(path)) from error
        raise trouble("file.unusable", path=str(path), detail=_reason(error)) from error
    finally:
        part.unlink(missing_ok=True)


def beside(path: Path) -> Path:
    """A hidden name in the same folder for what is to become `path`. Raises `ValueError` for a path without a name."""
    return path.with_name(f".{path.name[:40]}.{secrets.token_hex(6)}.part")


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _appear(part: Path, path: Path, overwrite: bool) -> None:
    """Give the finished file its name."""
    if overwrite:
        part.replace(path)
    else:
        try:
            os.link(part, path)  # unlike a rename it never replaces what somebody made meanwhile
        except FileExistsError as error:
            raise trouble("file.exists", path=str(path)) from error
        except OSError:  # a file system without links
            part.rename(path)
    sync_folder(path.parent)
