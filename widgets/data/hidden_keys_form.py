"""Keys whose values are hidden before a message reaches the disk: the list, to be added to and taken from."""

import re
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from models.domain.masking import HIDDEN, MOST_KEYS, PLAIN_KEYS, is_key
from models.domain.problems import Problem
from widgets.common.buttons import plain_button
from widgets.common.plain import PlainLabel, visible
from widgets.common.words import problem_text
from widgets.frame.tool_buttons import restyle

_WIDTH = 640
_BETWEEN = re.compile(r"[,;\s]+")


class HiddenKeysForm(QWidget):
    """Disabled until `show_keys`. GUI thread."""

    wanted = Signal(object)
    """Somebody wants these keys: tuple of texts."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[str, ...] | None = None
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Hidden keys"))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setSpacing(2)
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("Another key, such as license_key"))
        self.field.setAccessibleName(self.tr("Another key"))
        self.add = plain_button(self.tr("&Add"), self._add)
        self.remove = plain_button(self.tr("&Remove"), self._remove)
        self.usual = plain_button(self.tr("The &usual ones"), self._put_usual)
        self.usual.setToolTip(self.tr("Put back every key that a new workspace hides; others stay"))
        self.undo = plain_button(self.tr("Un&do"), self._put_back)
        self.undo.setToolTip(self.tr("As it is in force"))
        self.apply = QPushButton(self.tr("A&pply"), autoDefault=False)
        self.note = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._trouble = PlainLabel()
        self._trouble.setProperty("tone", "error")
        self._build()
        self.field.returnPressed.connect(self._add)
        self.field.textChanged.connect(self._allow)
        self.list.itemSelectionChanged.connect(self._allow)
        self.apply.clicked.connect(lambda: self.wanted.emit(self.typed))
        QShortcut(QKeySequence(Qt.Key.Key_Delete), self.list, self._remove, context=Qt.ShortcutContext.WidgetShortcut)
        self._tell("")
        self._allow()

    def _build(self) -> None:
        explained = QLabel(
            self.tr(
                "What stands behind such a key is replaced by {mark} before a message is stored: in JSON, in key=value and key: value"
                " of texts, and in MQTT 5 properties. A key also counts at the end of a longer one (token hides api_token), whatever its"
                " capitals and dashes. Passwords in addresses are hidden besides."
            ).replace("{mark}", HIDDEN.decode())
        )
        counts = QLabel(
            self.tr(
                "A change counts for messages that come from now on. What is stored stays as it is, and what was hidden cannot be"
                " had back."
            )
        )
        for label in (explained, counts):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setProperty("tone", "muted")
        typing = QHBoxLayout()
        typing.addWidget(self.field, 1)
        typing.addWidget(self.add)
        beside = QVBoxLayout()
        for button in (self.remove, self.usual, self.undo):
            beside.addWidget(button)
        beside.addStretch(1)
        beside.addWidget(self.apply)
        across = QHBoxLayout()
        across.addWidget(self.list, 1)
        across.addLayout(beside)
        inner = QWidget()
        inner.setMaximumSize(_WIDTH, _WIDTH)
        column = QVBoxLayout(inner)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(explained)
        column.addLayout(typing)
        column.addLayout(across, 1)
        column.addWidget(self.note)
        column.addWidget(self._trouble)
        column.addWidget(counts)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(inner, 1)
        outer.addStretch(0)

    # ------------------------------------------------------------ what is shown

    def show_keys(self, keys: Sequence[str]) -> None:
        """Those that are in force; what somebody is just changing stays."""
        changing = self.changed
        self._shown = tuple(keys)
        if not changing:
            self._put_back()
        self._allow()

    @property
    def typed(self) -> tuple[str, ...]:
        """As the list stands."""
        return tuple(self.list.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self.list.count()))

    @property
    def changed(self) -> bool:
        """Does the list say something that is not in force yet?"""
        return self._shown is not None and self.typed != self._shown

    def show_problem(self, problem: Problem | None) -> None:
        """Why the keys could not be read or written; None: they could."""
        self._tell(" ".join(filter(None, problem_text(problem))) if problem is not None else "")

    # ------------------------------------------------------------ changing

    @Slot()
    def _add(self) -> None:
        """One key, or several with commas or blanks between."""
        wanted = [one for one in _BETWEEN.split(self.field.text().strip()) if one]
        bad = next((one for one in wanted if not is_key(one)), None)
        if bad is not None:
            text = self.tr("“{key}” is no key: letters a to z and digits, with - _ or . between them.")
            self._tell(text.replace("{key}", visible(bad, 60)))
            return
        known = {one.casefold() for one in self.typed}
        new = [one for one in dict.fromkeys(wanted) if one.casefold() not in known]
        if len(known) + len(new) > MOST_KEYS:
            self._tell(self.tr("There is room for {n} keys.").replace("{n}", str(MOST_KEYS)))
            return
        self._fill((*self.typed, *new))
        self.field.clear()
        if wanted:
            self._point_at(wanted[-1])

    @Slot()
    def _remove(self) -> None:
        gone = {self.list.row(item) for item in self.list.selectedItems()}
        self._fill([key for row, key in enumerate(self.typed) if row not in gone])
        if gone and self.list.count():
            self.list.setCurrentRow(min(*gone, self.list.count() - 1))

    @Slot()
    def _put_usual(self) -> None:
        self._fill((*self.typed, *(one for one in PLAIN_KEYS if one not in self.typed))[:MOST_KEYS])

    @Slot()
    def _put_back(self) -> None:
        self._fill(self._shown or ())

    def _fill(self, keys: Sequence[str]) -> None:
        self.list.clear()
        for key in keys:
            self.list.addItem(visible(key))
            self.list.item(self.list.count() - 1).setData(Qt.ItemDataRole.UserRole, key)
        self._tell("")
        self._allow()

    def _point_at(self, key: str) -> None:
        for row, one in enumerate(self.typed):
            if one.casefold() == key.casefold():
                self.list.setCurrentRow(row)

    @Slot()
    def _allow(self) -> None:
        there = self._shown is not None
        for widget in (self.list, self.field):
            widget.setEnabled(there)
        self.add.setEnabled(there and bool(self.field.text().strip()))
        self.remove.setEnabled(there and bool(self.list.selectedItems()))
        self.usual.setEnabled(there and any(one not in self.typed for one in PLAIN_KEYS))
        self.undo.setEnabled(self.changed)
        self.apply.setEnabled(self.changed)
        restyle(self.apply, role="primary" if self.changed else "")
        nothing = self.tr(
            "With an empty list nothing is hidden: passwords and tokens that agents publish are stored as they come."
        )
        self.note.setText(nothing if there and not self.list.count() else "")
        self.note.setVisible(bool(self.note.text()))
        restyle(self.note, tone="warning")

    def _tell(self, text: str) -> None:
        self._trouble.set_text(text)
        self._trouble.setVisible(bool(text))
