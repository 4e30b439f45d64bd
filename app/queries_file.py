"""`queries.toml` of a workspace: queries that people keep by name, and those that they looked for last.

People may edit the file: comments and keys we do not know are kept. A file that cannot be read is never written over.
"""

from pathlib import Path
from typing import NamedTuple

import tomlkit
from tomlkit.items import InlineTable, Table

from app.toml_file import TomlFile

MOST_RECENT = 20
_SAVED, _RECENT = "saved", "recent"


class Queries(NamedTuple):
    """`saved`: texts by name, in the order of the file; `recent`: texts, the latest first."""

    saved: dict[str, str]
    recent: tuple[str, ...]


class QueriesFile:
    """Reads and replaces one file. One thread at a time.

    Every method raises `EnvironmentProblem` "settings.unreadable"; those that write, "workspace.read-only".
    """

    def __init__(self, path: Path) -> None:
        self._file = TomlFile(path, "Queries for log records.")

    def load(self) -> Queries:
        """What is kept."""
        return self._read(self._file.read())

    def save(self, name: str, text: str) -> Queries:
        """Keep a query, in place of one of the same name."""
        document, found = self._document()
        if not isinstance(document.get(_SAVED), Table | InlineTable):
            document[_SAVED] = tomlkit.table()
        document[_SAVED][name] = text
        self._file.write(document)
        return found._replace(saved={**found.saved, name: text})

    def forget(self, name: str) -> Queries:
        """No longer keep the query of this name."""
        document, found = self._document()
        if name in found.saved:
            document[_SAVED].remove(name)
            self._file.write(document)
        return self.load()

    def looked_for(self, text: str) -> Queries:
        """Remember it as the latest."""
        document, found = self._document()
        recent = (text, *(one for one in found.recent if one != text))[:MOST_RECENT]
        document[_RECENT] = tomlkit.array()
        document[_RECENT].extend(recent)
        document[_RECENT].multiline(multiline=True)
        self._file.write(document)
        return found._replace(recent=recent)

    def _document(self) -> tuple[tomlkit.TOMLDocument, Queries]:
        document = self._file.read()
        return document, self._read(document)

    def _read(self, document: tomlkit.TOMLDocument) -> Queries:
        saved, recent = document.unwrap().get(_SAVED, {}), document.unwrap().get(_RECENT, [])
        if not isinstance(saved, dict) or not all(isinstance(text, str) for text in saved.values()):
            raise self._file.unreadable(f'its queries are not written as name = "query" below [{_SAVED}]')
        if not isinstance(recent, list) or not all(isinstance(text, str) for text in recent):
            raise self._file.unreadable(f"{_RECENT} is not a list of texts")
        return Queries(saved, tuple(recent))
