"""The button beside the query line: queries that are kept by name, and those that were looked for last."""

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QInputDialog, QMenu, QToolButton

from widgets.common.plain import tooltip_text, visible
from widgets.common.theme import ThemeHolder
from widgets.frame.tool_buttons import FlatButton
from widgets.logs.log_query import LogQuery

_LONGEST = 70


class KeptQueries(FlatButton):
    """GUI thread."""

    save_wanted = Signal(str, str)
    """Keep a query: its name and its text."""
    forget_wanted = Signal(str)
    """Forget the query of this name."""

    def __init__(self, theme: ThemeHolder, query: LogQuery) -> None:
        super().__init__(theme, "clock", self.tr("Saved and recent queries"))
        self._query = query
        self._saved: Mapping[str, str] = {}
        self._recent: Sequence[str] = ()
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self._fill)
        self.setMenu(menu)

    def show_queries(self, saved: Mapping[str, str], recent: Sequence[str]) -> None:
        """What is kept now."""
        self._saved, self._recent = saved, recent

    @Slot()
    def _fill(self) -> None:
        menu = self.menu()
        menu.clear()
        menu.addAction(self.tr("&Save this query…"), self.save).setEnabled(self.can_save)
        if self._saved:
            _head(menu, self.tr("Saved"))
            for name, text in self._saved.items():
                action = menu.addAction(_shown(name), partial(self._query.write, text))
                action.setToolTip(tooltip_text(visible(text)))
            forget = menu.addMenu(self.tr("&Forget"))
            for name in self._saved:
                forget.addAction(_shown(name), partial(self.forget_wanted.emit, name))
        if self._recent:
            _head(menu, self.tr("Recent"))
            for text in self._recent:
                action = menu.addAction(_shown(text), partial(self._query.write, text))
                action.setToolTip(tooltip_text(visible(text)))

    @property
    def can_save(self) -> bool:
        """Is there a query that makes sense?"""
        return bool(self._query.text.strip()) and self._query.problem is None

    def save(self) -> None:
        """Ask for a name, then keep the query by it."""
        text = self._query.text.strip()
        name, taken = QInputDialog.getText(
            self, self.tr("Save this query"), self.tr("Name"), text=visible(text, _LONGEST)
        )
        if taken and name.strip():
            self.save_wanted.emit(name.strip(), text)


def _head(menu: QMenu, text: str) -> None:
    """Over what follows: the style draws no text in a separator."""
    menu.addSeparator()
    menu.addAction(text).setEnabled(False)


def _shown(text: str) -> str:
    return visible(text, _LONGEST).replace("&", "&&")
