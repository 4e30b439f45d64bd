"""What the interpreter writes down itself when it crashes: every thread's stack, in a file of its own."""

import faulthandler
from datetime import datetime
from pathlib import Path
from typing import BinaryIO


def crash_before(path: Path, kept: Path) -> datetime | None:
    """When the run before crashed, if it wrote anything down; that is kept aside then. Raises `OSError`."""
    if not path.exists() or not path.stat().st_size:
        return None
    path.replace(kept)
    return datetime.fromtimestamp(kept.stat().st_mtime).astimezone()


def watch_for_crashes(path: Path) -> BinaryIO:
    """From now on, into this file; what is in it stays. Raises `OSError`."""
    file = path.open("ab")
    faulthandler.enable(file)
    return file


def forget_crashes(file: BinaryIO) -> None:
    """The process ends in order. An empty file goes."""
    faulthandler.disable()
    file.close()
    path = Path(file.name)
    if not path.stat().st_size:
        path.unlink()
