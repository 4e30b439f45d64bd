"""TOML files of a workspace that people may edit: comments and keys we do not know are kept, and a file that cannot be read is
never written over."""

import os
import tempfile
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from models.domain.problems import EnvironmentProblem, trouble
from models.storage.access import sync_folder


class TomlFile:
    """One file, as a document that is changed and written back. One thread at a time; other processes see the old file or
    the new one, never a half."""

    def __init__(self, path: Path, heading: str) -> None:
        """`heading`: comment at the top of a file that we begin."""
        self._path = path
        self._heading = heading

    def read(self) -> tomlkit.TOMLDocument:
        """The document; a new one where there is no file. Raises `EnvironmentProblem` "settings.unreadable"."""
        try:
            return tomlkit.parse(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return self.new()
        except OSError as error:
            raise self.unreadable(error.strerror or type(error).__name__) from error
        except UnicodeDecodeError as error:
            raise self.unreadable("it is not UTF-8 text") from error
        except TOMLKitError as error:
            raise self.unreadable(str(error)) from error

    def new(self) -> tomlkit.TOMLDocument:
        """A document with nothing but the heading."""
        document = tomlkit.document()
        document.add(tomlkit.comment(self._heading))
        return document

    def write(self, document: tomlkit.TOMLDocument, *, only_new: bool = False) -> bool:
        """Replace the file. False: there was one already, and only a new one was wanted. Raises "workspace.read-only"."""
        return replace_text(self._path, tomlkit.dumps(document), only_new=only_new)

    def text(self) -> str:
        """As it stands, "" where there is no file. Raises `EnvironmentProblem` "settings.unreadable"."""
        return tomlkit.dumps(self.read()) if self._path.exists() else ""

    def write_text(self, text: str) -> None:
        """Replace the file. Raises "workspace.read-only"."""
        replace_text(self._path, text, only_new=False)

    def unreadable(self, detail: str) -> EnvironmentProblem:
        """The problem that what the file says makes no sense."""
        return trouble("settings.unreadable", path=str(self._path), detail=detail)


def replace_text(path: Path, text: str, *, only_new: bool) -> bool:
    """Whole and durably, for its owner alone: others see the old one or the new one, never a half. False: there was one
    already, and only a new one was wanted. Raises `EnvironmentProblem` "workspace.read-only"."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)  # 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if only_new:
                path.hardlink_to(temporary)
            else:
                Path(temporary).replace(path)
        except FileExistsError:
            return False
        finally:
            Path(temporary).unlink(missing_ok=True)
        sync_folder(path.parent)  # else a power cut may bring the old name back
        return True
    except OSError as error:
        raise trouble("workspace.read-only", path=str(path), detail=error.strerror or "no reason") from error
