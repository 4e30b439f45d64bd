"""How far the files of a folder are: a small file beside them, replaced whole, so that a restart goes on where they end."""

import os
from pathlib import Path

import msgspec

from models.domain.problems import trouble
from models.storage.history.follow import Place

NAME = "murmurscope-files.json"


class CurrentFile(msgspec.Struct):
    """The file that rows of a dataset go to. `size` counts: what lies behind it was written without being noted."""

    name: str
    size: int
    segment: int  # that its last row came from


class Cursor(msgspec.Struct):
    """`since`: newest segment when the recorder began, under which nothing was asked for. `rows`: written, per dataset.
    `lost`: messages that were gone from the store before they could be written; `removed`: files, to stay within the size.
    `begun`: files that were made for rows which do not count yet."""

    workspace: str
    since: int
    place: Place
    current: dict[str, CurrentFile] = {}
    rows: dict[str, int] = {}
    lost: int = 0
    removed: int = 0
    begun: list[str] = []

    def copy(self) -> "Cursor":
        return msgspec.convert(msgspec.to_builtins(self), Cursor)


def load_cursor(folder: Path) -> Cursor | None:
    """None where there is none. Raises `OSError`, and `EnvironmentProblem` files.foreign."""
    path = folder / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Cursor)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise trouble("files.foreign", path=str(folder), detail=f"{NAME} there cannot be read") from error


def save_cursor(folder: Path, cursor: Cursor) -> None:
    """Raises `OSError`; then the one before holds."""
    part = folder / f".{NAME}.part"
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(cursor))
        file.flush()
        os.fsync(handle)
    part.replace(folder / NAME)
