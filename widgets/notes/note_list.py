"""All annotations, to search, to sort, to go to and to change."""

from PySide6.QtCore import QCoreApplication, QPoint, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from models.domain.annotations import Annotation
from models.domain.problems import Problem
from models.domain.quantity import format_time
from widgets.common.buttons import plain_button
from widgets.common.numbers import count_text
from widgets.common.plain import tooltip_text, visible, visible_lines
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.state_view import StateKind, StateStack, ViewState, failed, loading, no_match
from widgets.common.theme import ThemeHolder
from widgets.common.words import problem_text
from widgets.notes.book import AnnotationBook
from widgets.notes.note_texts import length_text, tags_text
from widgets.records.agent_names import AgentNames

_CELL = 400

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class AnnotationList(QDialog):
    """Asks the book for changes, and is told what there is. GUI thread."""

    jump_wanted = Signal(object)
    """Take the window to this `Annotation`."""

    def __init__(
        self, book: AnnotationBook, names: AgentNames, theme: ThemeHolder, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._book, self._names = book, names
        self.setWindowTitle(self.tr("Annotations"))
        self.setModal(False)
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search texts, tags and agents"))
        self.search.setAccessibleName(self.tr("Search"))
        self.search.setClearButtonEnabled(True)
        self.tag = QComboBox()
        self.tag.setAccessibleName(self.tr("Tag"))
        self.tag.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.table = self._table()
        self.table.setObjectName("annotations")
        self._stack = StateStack(self.table, theme)
        self.notice = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.notice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.jump = plain_button(self.tr("&Go to its time"), self._jump)
        self.edit = plain_button(self.tr("&Edit…"), self._edit)
        self.copy = plain_button(self.tr("&Copy"), self.table.copy)
        self.remove = plain_button(self.tr("&Delete"), self._remove)
        self.undo = plain_button(self.tr("Und&o"), self._undo)
        self._lay_out()
        self.search.textChanged.connect(self._fill)
        self.search.returnPressed.connect(self.begin)
        self.tag.currentIndexChanged.connect(self._fill)
        self.table.selectionModel().selectionChanged.connect(self._allow)
        self.table.opened.connect(self.jump_wanted)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._open_menu)
        book.changed.connect(self._book_changed)
        names.changed.connect(self._book_changed)
        self._tell("")
        self._book_changed()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.search, 1)
        head.addWidget(self.tag)
        beside = QVBoxLayout()
        keys = {self.jump: "Return", self.edit: "F2", self.copy: "Ctrl+C", self.remove: "Del", self.undo: "Ctrl+Z"}
        for button, key in keys.items():
            beside.addWidget(button)
            shortcut = QKeySequence(key)
            button.setToolTip(shortcut.toString(QKeySequence.SequenceFormat.NativeText))
            if button in (self.edit, self.undo):
                QShortcut(shortcut, self, button.click)
        delete = QShortcut(QKeySequence("Del"), self.table, self.remove.click)  # in the field it deletes a letter
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        QShortcut(QKeySequence.StandardKey.Find, self, self.search.setFocus)
        beside.addStretch(1)
        across = QHBoxLayout()
        across.addWidget(self._stack, 1)
        across.addLayout(beside)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(head)
        column.addLayout(across, 1)
        column.addWidget(self.notice)
        column.addWidget(buttons)
        self.resize(960, 440)

    @Slot()
    def begin(self) -> None:
        """Take the first row in hand, unless one is."""
        self.table.setFocus()
        if self.table.records.rows and not self.table.selected:
            self.table.selectRow(0)

    def show_problem(self, problem: Problem | None) -> None:
        """Why it could not be done; None: it was done."""
        self._tell(" ".join(problem_text(problem)) if problem is not None else "")

    # ------------------------------------------------------------ what is listed

    @Slot()
    def _book_changed(self) -> None:
        chosen = self.tag.currentData()
        with QSignalBlocker(self.tag):
            self.tag.clear()
            self.tag.addItem(self.tr("All tags"), "")
            for tag, n in self._book.tags.items():
                self.tag.addItem(f"#{visible(tag, 60)} ({count_text(n)})", tag)
            self.tag.setCurrentIndex(max(0, self.tag.findData(chosen)) if chosen else 0)
        self.tag.setEnabled(self.tag.count() > 1)
        self._fill()

    @Slot()
    def _fill(self) -> None:
        book, tag = self._book, self.tag.currentData()
        words = self.search.text().casefold().split()
        found = [one for one in book.all if (not tag or tag in one.tags) and self._has(one, words)]
        self.table.show_rows(found[::-1])
        if book.problem is not None:
            self._stack.show_state(failed(book.problem, book.refresh))
        elif not book.loaded:
            self._stack.show_state(loading())
        elif found:
            self._stack.show_content()
        elif book.all:
            self._stack.show_state(no_match(self._clear))
        else:
            sentence = self.tr("Nothing is annotated yet")
            hint = self.tr(
                "Point at a moment on a plot and press A; for a stretch, hold Ctrl and Shift and drag over it, or press A while"
                " you drag. On any screen, F8 annotates the moment that is shown."
            )
            self._stack.show_state(ViewState(StateKind.EMPTY, sentence, hint))
        self._allow()

    def _has(self, one: Annotation, words: list[str]) -> bool:
        whole = " ".join((one.text, tags_text(one), one.agent_id, self._names.name(one.agent))).casefold()
        return all(word in whole for word in words)

    def _clear(self) -> None:
        self.search.clear()
        self.tag.setCurrentIndex(0)

    def _agent(self, one: Annotation) -> str:
        return (self._names.name(one.agent) or visible(one.agent_id)) if one.agent else self.tr("Everybody")

    # ------------------------------------------------------------ what one can do

    @Slot()
    def _allow(self) -> None:
        chosen = self.table.selected if self._stack.shows_content else []
        self.jump.setEnabled(len(chosen) == 1)
        self.edit.setEnabled(len(chosen) == 1)
        self.copy.setEnabled(bool(chosen))
        self.remove.setEnabled(bool(chosen))
        self.undo.setEnabled(self._book.can_undo)

    @Slot()
    def _jump(self) -> None:
        for one in self.table.selected[:1]:
            self.jump_wanted.emit(one)

    @Slot()
    def _edit(self) -> None:
        for one in self.table.selected[:1]:
            self._book.edit_wanted.emit(one)

    @Slot()
    def _remove(self) -> None:
        self._book.remove(self.table.selected, self.show_problem)

    @Slot()
    def _undo(self) -> None:
        self._book.undo(self.show_problem)

    @Slot(QPoint)
    def _open_menu(self, where: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for button in (self.jump, self.edit, self.remove):
            menu.addAction(button.text(), button.click).setEnabled(button.isEnabled())
        menu.addSeparator()
        self.table.add_copy(menu)
        menu.popup(self.table.viewport().mapToGlobal(where))

    def _tell(self, text: str) -> None:
        self.notice.setText(text)
        self.notice.setVisible(bool(text))
        self.notice.setProperty("tone", "error")

    def _table(self) -> SortedTable[Annotation]:
        columns: list[Column[Annotation]] = [
            Column(translate("AnnotationList", "Time"), lambda one: format_time(one.since_us), lambda one: one.since_us),
            Column(translate("AnnotationList", "Length"), length_text, lambda one: one.until_us - one.since_us, number=True),
            Column(translate("AnnotationList", "Agent"), self._agent),
            Column(translate("AnnotationList", "Text"), lambda one: visible(one.text, _CELL),
                   tip=lambda one: tooltip_text(visible_lines(one.text[:2_000]))),
            Column(translate("AnnotationList", "Tags"), tags_text),
            Column(translate("AnnotationList", "Changed"), lambda one: format_time(one.changed_us), lambda one: one.changed_us),
        ]  # fmt: skip
        name = translate("AnnotationList", "Annotations")
        return SortedTable(name, columns, (150, 100, 120, 280, 130, 150), lambda one: one.id, (3, 4), (5,))
