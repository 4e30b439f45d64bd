"""What is in a backup: a gzipped tar of plain files. First `backup.json` (what it is, so that a stranger is refused at once),
then the files of the workspace, last `manifest.json` (size and SHA-256 of each): a backup without its last member is none.

Files of the workspace: those that people edit (`settings.toml`, `templates.toml`, `rules.toml`, `queries.toml`, `layouts/*.toml`), each
where there is one, then `segments/<n>.db`, last `catalogue.db`. Since format 3 rules, queries and layouts are among them; before, a
backup held none. Passwords are in none of these files: they are in the keyring of the computer.

Gzip at its fastest makes segments a quarter as large (measured: 66 to 103 MB/s on one core), and its own trailer tells a file
that was cut anywhere.
"""

import gzip
import re
import zlib
from pathlib import Path
from typing import Any

import msgspec

from models.domain.problems import EnvironmentProblem, trouble

FORMAT = 3
"""Of the archive itself; 2 may hold less than the whole history, 3 rules, queries, layouts and tasks. Schema and layout have their own
numbers in it."""
ABOUT, MANIFEST = "backup.json", "manifest.json"
LARGEST_JSON_BYTES = 64 * 1024 * 1024
CATALOGUE, TASKS, SETTINGS, TEMPLATES, RULES, QUERIES = (
    "catalogue.db", "tasks.db", "settings.toml", "templates.toml", "rules.toml", "queries.toml",
)  # fmt: skip
LAYOUTS = "layouts"
MOST_NAME_BYTES = 100
"""Of a file in a folder: the archive has no room for more."""
_HELD = re.compile(
    r"(catalogue|tasks)\.db|(settings|templates|rules|queries)\.toml|segments/[1-9][0-9]{0,17}\.db(-wal)?"
    r"|layouts/[^./\\][^/\\]*\.toml"
)


def may_hold(name: str) -> bool:
    """May a backup hold a file of this name? Every other name is refused."""
    return bool(_HELD.fullmatch(name)) and name.isprintable() and len(Path(name).name.encode()) <= MOST_NAME_BYTES


class About(msgspec.Struct, frozen=True):
    """`backup.json`. `catalogue_schema` and `segment_layout`: the newest ones inside. `size_bytes`: of all files, about.
    `since_us`: segments that ended before it were left out (0: none). `host`: the computer that it was made on."""

    murmurscope_backup: int
    version: str
    catalogue_schema: int
    segment_layout: int
    created_us: int
    size_bytes: int
    since_us: int = 0
    host: str = ""


class Held(msgspec.Struct, frozen=True):
    name: str
    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """`manifest.json`. `missing`: segments that the catalogue names and that were damaged or gone when the backup was made."""

    files: list[Held]
    missing: list[int] = []


def encode(what: About | Manifest) -> bytes:
    """As JSON that people can read."""
    return msgspec.json.format(msgspec.json.encode(what), indent=1) + b"\n"


def decode(data: bytes, kind: type[Any], path: str) -> Any:
    """Raises `EnvironmentProblem` backup.unusable."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unusable(path, "it does not begin and end as a backup of Murmurscope does") from error


def is_backup(path: Path) -> bool:
    """Does the file begin as a backup does? False where it cannot be read."""
    try:
        with gzip.open(path) as packed:
            return packed.read(len(ABOUT) + 1) == ABOUT.encode() + b"\0"
    except (OSError, EOFError, zlib.error):
        return False


def unusable(path: str, detail: str) -> EnvironmentProblem:
    """The problem that a file is no backup, or is not whole."""
    return trouble("backup.unusable", path=path, detail=detail)
