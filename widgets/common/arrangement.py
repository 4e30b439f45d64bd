"""How the user arranged the screens: columns of tables and places of splitters, kept by object name over a restart."""

from collections.abc import Mapping

import shiboken6
from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QSplitter, QWidget

from widgets.common.tables import TableView


class Arrangement:
    """Every `TableView` and `QSplitter` with an object name takes part, once its screen is adopted. GUI thread."""

    def __init__(self, saved: Mapping[str, object]) -> None:
        """`saved` is what `save` gave; nonsense in it changes nothing."""
        self._saved = {name: text for name, text in saved.items() if isinstance(text, str)}
        self._tables: dict[str, TableView] = {}
        self._splitters: dict[str, QSplitter] = {}
        self._first_places: dict[str, QByteArray] = {}

    def adopt(self, screen: QWidget) -> None:
        """Arrange what is in this screen as it was left, and keep it from now on. `ValueError`: a name is taken."""
        for table in screen.findChildren(TableView):
            if name := table.objectName():
                self._check_free(name)
                self._tables[name] = table
                if saved := self._saved.get(name):
                    table.restore_columns(saved)
        for splitter in screen.findChildren(QSplitter):
            if name := splitter.objectName():
                self._check_free(name)
                self._splitters[name], self._first_places[name] = splitter, splitter.saveState()
                if saved := self._saved.get(name):
                    _place(splitter, QByteArray.fromBase64(saved.encode("ascii", "replace")))

    def save(self) -> dict[str, str]:
        """By object name, also of what has not been shown this time."""
        for name, table in self._tables.items():
            if shiboken6.isValid(table):
                self._saved[name] = table.save_columns() if table.arranged else ""
        for name, splitter in self._splitters.items():
            if shiboken6.isValid(splitter):
                self._saved[name] = bytes(splitter.saveState().toBase64().data()).decode("ascii")
        return {name: text for name, text in self._saved.items() if text}

    def reset(self) -> None:
        """Everything as it was at first."""
        self._saved.clear()
        for table in self._tables.values():
            table.reset_columns()
        for name, splitter in self._splitters.items():
            _place(splitter, self._first_places[name])

    def _check_free(self, name: str) -> None:
        if name in self._tables or name in self._splitters:
            raise ValueError(f"two parts of the window are named {name!r}")


def _place(splitter: QSplitter, state: QByteArray) -> None:
    """A place kept for the other direction does not fit: screens turn their splitters by the room that they have."""
    before, direction = splitter.saveState(), splitter.orientation()
    splitter.restoreState(state)
    if splitter.orientation() is not direction:
        splitter.restoreState(before)
