"""The guide in a window of its own: pages and headings at the left, find, back and forward. Works without a network."""

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication, QKeySequence, QShortcut, QTextCursor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from widgets.common.plain import PlainLabel, visible
from widgets.common.theme import ThemeHolder
from widgets.frame.tool_buttons import FlatButton, restyle
from widgets.help.guide_browser import GuideBrowser

_PAGE, _HEADING = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_CONTENTS = 280


class GuideWindow(QWidget):
    """Esc clears the find field, then closes the window."""

    def __init__(self, folder: Path, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle(self.tr("Guide – Murmurscope"))
        self.resize(1180, 760)
        self.browser = GuideBrowser(folder, theme)
        self.contents = QTreeWidget()
        self.contents.setHeaderHidden(True)
        self.contents.setProperty("role", "contents")
        self.contents.setAccessibleName(self.tr("Contents"))
        self.find_line = QLineEdit(placeholderText=self.tr("Find in this page"), clearButtonEnabled=True)
        self.find_line.setAccessibleName(self.tr("Find in this page"))
        self.find_line.setMaximumWidth(280)
        self._back = FlatButton(theme, "back", self.tr("Back"))
        self._forward = FlatButton(theme, "forward", self.tr("Forward"))
        self._url = QUrl()
        self._outside = self._outside_bar(theme)
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 6, 8, 6)
        for widget in (self._back, self._forward):
            bar.addWidget(widget)
        bar.addStretch(1)
        bar.addWidget(self.find_line)
        middle = QSplitter()
        middle.setChildrenCollapsible(False)
        middle.addWidget(self.contents)
        middle.addWidget(self.browser)
        middle.setStretchFactor(1, 1)
        middle.setSizes([_CONTENTS, self.width() - _CONTENTS])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(middle, 1)
        column.addWidget(self._outside)
        self._connect()
        self._fill_pages()
        self.browser.show_page("guide.md")
        self.browser.setFocus()

    def _connect(self) -> None:
        self._back.clicked.connect(self.browser.backward)
        self._forward.clicked.connect(self.browser.forward)
        self.browser.backwardAvailable.connect(self._back.setEnabled)
        self.browser.forwardAvailable.connect(self._forward.setEnabled)
        self._back.setEnabled(False)
        self._forward.setEnabled(False)
        self.browser.sourceChanged.connect(self._page_changed)
        self.browser.left.connect(self._tell_outside)
        self.contents.itemClicked.connect(self._go)
        self.contents.itemActivated.connect(self._go)
        self.find_line.textChanged.connect(self._find_first)
        self.find_line.returnPressed.connect(self._find_next)
        for keys, slot in (
            (QKeySequence.StandardKey.Find, self._focus_find),
            (QKeySequence("F3"), self._find_next),
            (QKeySequence("Alt+Left"), self.browser.backward),
            (QKeySequence("Alt+Right"), self.browser.forward),
            (QKeySequence("Esc"), self._escape),
            (QKeySequence.StandardKey.Close, self.close),
        ):
            QShortcut(QKeySequence(keys), self, slot)

    # ------------------------------------------------------------ contents

    def _fill_pages(self) -> None:
        for name, title in self.browser.pages():
            page = QTreeWidgetItem([title])
            page.setData(0, _PAGE, name)
            self.contents.addTopLevelItem(page)

    @Slot(QUrl)
    def _page_changed(self, source: QUrl) -> None:
        self._outside.hide()
        for place in range(self.contents.topLevelItemCount()):
            page = self.contents.topLevelItem(place)
            assert page is not None
            page.takeChildren()
            if page.data(0, _PAGE) != source.fileName():
                continue
            for level, text in self.browser.headings():
                if level == 2:  # the first is the title of the page
                    heading = QTreeWidgetItem(page, [text])
                    heading.setData(0, _PAGE, source.fileName())
                    heading.setData(0, _HEADING, text)
            page.setExpanded(True)

    @Slot(QTreeWidgetItem, int)
    def _go(self, item: QTreeWidgetItem, _column: int) -> None:
        heading = item.data(0, _HEADING)
        self.browser.show_page(item.data(0, _PAGE), heading or "")
        if not heading:
            self.browser.moveCursor(QTextCursor.MoveOperation.Start)

    # ------------------------------------------------------------ find

    @Slot()
    def _focus_find(self) -> None:
        self.find_line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.find_line.selectAll()

    @Slot()
    def _find_first(self) -> None:
        self.browser.moveCursor(QTextCursor.MoveOperation.Start)
        self._find_next()

    @Slot()
    def _find_next(self) -> None:
        text = self.find_line.text()
        found = not text or self.browser.find(text)
        if not found:  # once more from the top
            self.browser.moveCursor(QTextCursor.MoveOperation.Start)
            found = self.browser.find(text)
        restyle(self.find_line, state="" if found else "error")

    @Slot()
    def _escape(self) -> None:
        if self.find_line.text():
            self.find_line.clear()
            self.browser.setFocus()
        else:
            self.close()

    # ------------------------------------------------------------ links that lead elsewhere

    def _outside_bar(self, theme: ThemeHolder) -> QWidget:
        bar = QWidget()
        bar.setProperty("role", "foot")
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        bar.hide()
        self._address = PlainLabel()
        said = QLabel(self.tr("Not part of the guide, so it was not opened:"))
        copy, open_ = QPushButton(self.tr("&Copy address")), QPushButton(self.tr("&Open in the browser"))
        close = FlatButton(theme, "close", self.tr("Close this notice"))
        row = QHBoxLayout(bar)
        row.setContentsMargins(12, 6, 8, 6)
        row.addWidget(said)
        row.addWidget(self._address, 1)
        for button in (copy, open_, close):
            row.addWidget(button)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._url.toString()))
        open_.clicked.connect(lambda: QDesktopServices.openUrl(self._url))
        close.clicked.connect(bar.hide)
        return bar

    @Slot(QUrl)
    def _tell_outside(self, url: QUrl) -> None:
        self._url = url
        self._address.set_text(visible(url.toString()))
        self._outside.show()
