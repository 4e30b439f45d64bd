"""Two messages compared, whole, whatever a list holds of them."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from models.domain.problems import Problem
from models.domain.queries import DataSource, MessageLine
from widgets.common.theme import ThemeHolder
from widgets.messages.whole_payload import ask_before, with_whole
from widgets.records.comparison_dialog import message_comparison


class Comparing:
    """Opens a dialog over `parent`, or tells why there is nothing to compare. GUI thread."""

    def __init__(
        self, source: DataSource, themes: ThemeHolder, tell: Callable[[Problem], object], parent: QWidget
    ) -> None:
        self._source, self._themes, self._tell, self._parent = source, themes, tell, parent

    def compare_before(self, line: MessageLine) -> None:
        """With the message before it on its topic."""
        ask_before(self._source, line, lambda before: self.compare(before, line), self._tell)

    def compare(self, before: MessageLine, after: MessageLine) -> None:
        whole = partial(with_whole, self._source, tell=self._tell)
        whole(before, lambda one: whole(after, partial(self._show, one)))

    def _show(self, one: MessageLine, other: MessageLine) -> None:
        dialog = message_comparison(self._themes, one, other, self._parent)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
