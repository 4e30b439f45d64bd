"""What the program is made of: versions and licences of the works of others that go with it. Knows no Qt."""

import platform
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from app.own_process import is_frozen
from app.version import VERSION
from models.domain.resources import resource_path
from models.storage.engine import engine_version

DIRECT = (
    "apsw", "keyring", "msgspec", "numpy", "paho-mqtt", "pcodec", "peewee", "platformdirs", "psutil", "pyqtgraph",
    "PySide6-Essentials", "tomlkit", "zstandard",
)  # fmt: skip
"""What pyproject.toml asks for; a package brings a full index instead."""
_INSTALLED_LICENCES = Path("/usr/share/doc/murmurscope/licences")
_TEXT_LIMIT = 200_000


@dataclass(frozen=True, slots=True)
class Part:
    """One work of others. `texts`: files with its licence, notices and authors."""

    name: str
    version: str
    licence: str
    texts: tuple[Path, ...]

    def text(self) -> str:
        """The licence in full. Reads files."""
        found = []
        for path in self.texts:
            try:
                found.append(path.read_text(encoding="utf-8", errors="replace")[:_TEXT_LIMIT])
            except OSError as error:
                found.append(f"{path}: {error.strerror}")
        return f"\n{'—' * 40}\n".join(found)


def versions() -> list[tuple[str, str]]:
    """Of the program and what it stands on, for reports. The window adds Qt."""
    return [
        ("Murmurscope", VERSION + ("" if is_frozen() else " (from source)")),
        ("Python", f"{platform.python_version()} ({platform.python_implementation()})"),
        ("SQLite", engine_version()),
        *((part.name, part.version) for part in parts() if part.name.lower() in map(str.lower, DIRECT)),
    ]


def parts() -> list[Part]:
    """As the package lists them, or as they are installed beside the source."""
    folder = licence_folder()
    if folder is None:
        return [_installed(name) for name in DIRECT]
    found = []
    for line in (folder / "INDEX").read_text(encoding="utf-8").splitlines():
        name, version, licence = [*line.split(None, 2), "", "", ""][:3]
        texts = sorted(path for path in (folder / name).rglob("*") if path.is_file())
        found.append(Part(name, version, licence, tuple(texts)))
    return found


def own_licence() -> str:
    """The text of our own licence."""
    folder = licence_folder()
    path = folder / "LICENSE" if folder is not None else resource_path().parent / "LICENSE"
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return "Apache-2.0"


def licence_folder() -> Path | None:
    """Where the package keeps the licences; None where the program runs from source."""
    for folder in (Path(sys.executable).parent / "licences", _INSTALLED_LICENCES):
        if is_frozen() and (folder / "INDEX").is_file():
            return folder
    return None


def _installed(name: str) -> Part:
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return Part(name, "?", "?", ())
    fields = found.metadata
    stated = next((fields[key].strip() for key in ("License-Expression", "License") if key in fields), "") or "?"
    texts = [
        Path(str(file.locate()))
        for file in found.files or ()
        if ".dist-info" in str(file) and any(word in file.name.upper() for word in ("LICEN", "COPYING", "NOTICE"))
    ]
    return Part(name, found.version, stated.splitlines()[0], tuple(texts))
