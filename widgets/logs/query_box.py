"""The line in which a query is typed: completes fields and values, points at what it cannot read."""

import re
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QEvent, QModelIndex, QRect, QSignalBlocker, QStringListModel, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QCompleter, QLabel, QLineEdit, QVBoxLayout, QWidget

from models.domain.problems import Problem
from models.domain.records import Level
from models.domain.search.parsing import LONGEST
from models.domain.search.terms import FieldIs, Place
from models.domain.search.writing import field_text, written
from widgets.common.plain import visible
from widgets.common.words import problem_text
from widgets.frame.tool_buttons import restyle
from widgets.logs.log_query import LogQuery

_TYPING_MS = 300
_AT_HAND = re.compile(r'(?:^|[\s(])-?(?:(?P<field>[^\W\d][\w.@/$-]*)(?P<operator>:|!=))?(?P<begun>"[^"]*|[^\s()"]*)$')
_MOST = 12
_BEFORE = 12
"""Characters before what cannot be read that are shown with it."""
_LEAST_PIXELS, _BAR_PIXELS = 160, 24
"""Width of the list of completions at least, and beside its words."""

Known = Callable[[], Mapping[str, Sequence[str]]]
"""Fields that are there, and values of each, the most frequent first."""


class QueryBox(QWidget):
    """In sync with a `LogQuery`. GUI thread."""

    def __init__(self, query: LogQuery, known: Known) -> None:
        super().__init__()
        self._query, self._known = query, known
        self.line = QueryLine()
        self.line.setMaxLength(LONGEST)
        self.line.setPlaceholderText(self.tr('Look for… such as level:error agent:planner-* "timed out" latency>200'))
        self.line.setAccessibleName(self.tr("Query"))
        self.trouble = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.trouble.setProperty("tone", "error")
        self.trouble.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.line)
        column.addWidget(self.trouble)
        self._words = QStringListModel(self)
        self._completer = QCompleter(self._words, self)
        self._completer.setWidget(self.line)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.activated.connect(self._complete)
        popup = self._completer.popup()
        assert popup is not None
        popup.setProperty("role", "completions")
        self._popup = self.line.completions = popup
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typing.timeout.connect(self._write)
        self.line.textEdited.connect(self._typed)
        self.line.returnPressed.connect(self._write)
        self.line.first_wanted.connect(self._take_first)
        query.shown.connect(self._show)
        query.settling.connect(self._settle)

    def focus(self) -> None:
        """Put the cursor into the line."""
        self.line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.line.selectAll()

    @Slot()
    def _typed(self) -> None:
        self._typing.start()
        self._offer()

    @Slot()
    def _write(self) -> None:
        self._typing.stop()
        self._query.write(self.line.text())

    @Slot()
    def _settle(self) -> None:
        """Something is clicked while what was typed is not looked for yet."""
        if self._typing.isActive():
            self._write()

    @Slot()
    def _show(self) -> None:
        if self.line.text() != self._query.text:
            self._typing.stop()
            with QSignalBlocker(self.line):  # nobody types
                self.line.selectAll()
                self.line.insert(self._query.text)  # so that it can be undone
        self._tell(self._query.problem)

    def _tell(self, problem: Problem | None) -> None:
        restyle(self.line, state="error" if problem else "")
        self.trouble.setVisible(problem is not None)
        if problem is not None:
            begin, end = int(problem.params["begin"]), int(problem.params["end"])
            text = self.line.text()
            before = f"…{text[begin - _BEFORE : begin]}" if begin > _BEFORE else text[:begin]
            self.trouble.setText(visible(f"{before}⟦{text[begin:end]}⟧  {' '.join(problem_text(problem))}"))

    # ------------------------------------------------------------ completion

    def _offer(self) -> None:
        found = self.line.selectionStart() < 0 and self._fitting()
        if not found:
            self._popup.hide()
            return
        self._words.setStringList(found)
        self._popup.ensurePolished()
        width = max(_LEAST_PIXELS, self._popup.sizeHintForColumn(0) + _BAR_PIXELS)
        begun = _AT_HAND.search(self.line.text()[: self.line.cursorPosition()])
        back = self.line.fontMetrics().horizontalAdvance(begun[0].lstrip()) if begun else 0
        left = max(0, min(self.line.cursorRect().left() - back, self.line.width() - width))
        self._completer.complete(QRect(left, 0, width, self.line.height()))
        self._popup.setCurrentIndex(QModelIndex())  # Enter looks for what is typed, unless somebody goes into the list

    @Slot()
    def _take_first(self) -> None:
        at = self._popup.currentIndex()
        self._popup.hide()
        self._complete(self._words.data(at if at.isValid() else self._words.index(0)))

    def _fitting(self) -> list[str]:
        """What may be meant by the word before the cursor, whole."""
        at_hand = _AT_HAND.search(self.line.text()[: self.line.cursorPosition()])
        if at_hand is None:
            return []
        field, begun, known = at_hand["field"], at_hand["begun"].lstrip('"').casefold(), self._known()
        if field is None and at_hand["begun"].startswith('"'):
            return []
        if field is None:
            fields = [*Place, *(one for one in known if one not in {*Place}), "after", "before"]
            return [f"{field_text(one)}:" for one in fields if begun and one.casefold().startswith(begun)][:_MOST]
        values = [one.name.lower() for one in Level] if field.casefold() == Place.LEVEL else known.get(field, ())
        fitting = [one for one in values if begun in one.casefold() and one]
        fitting.sort(key=lambda one: not one.casefold().startswith(begun))
        if [one.casefold() for one in fitting] == [begun]:
            return []
        return [written(FieldIs(field, (one,))).replace(":", at_hand["operator"], 1) for one in fitting][:_MOST]

    @Slot(str)
    def _complete(self, text: str) -> None:
        at = self.line.cursorPosition()
        at_hand = _AT_HAND.search(self.line.text()[:at])
        if at_hand is None:
            return
        begin = at_hand.start("field") if at_hand["field"] else at_hand.start("begun")
        with QSignalBlocker(self.line):
            self.line.setSelection(begin, at - begin)
            self.line.insert(text if text.endswith(":") else f"{text} ")
        if text.endswith(":"):
            self._offer()
        else:
            self._write()


class QueryLine(QLineEdit):
    """While a list of completions is open Tab takes the one at hand, or the first; Enter only one that somebody went to."""

    first_wanted = Signal()
    completions: QAbstractItemView | None = None

    def event(self, event: QEvent) -> bool:
        offered = self.completions is not None and self.completions.isVisible()
        tab = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Tab
        if offered and tab:
            self.first_wanted.emit()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        popup = self.completions
        if popup is not None and popup.isVisible():
            chosen = popup.currentIndex().isValid()
            if event.key() == Qt.Key.Key_Escape or (chosen and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)):
                event.ignore()
                return
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                popup.hide()
        super().keyPressEvent(event)
