"""What this program is, its versions to copy into a report, and the licences of what goes with it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from widgets.common.tables import TableView

_ICON = 56
_WIDTHS = (170, 130, 200)


class Licence(NamedTuple):
    """A work that goes with the program; `text` reads its licence in full."""

    name: str
    version: str
    licence: str
    text: Callable[[], str]


class AboutDialog(QDialog):
    """Not modal. The first licence is the program's own."""

    def __init__(
        self, versions: Sequence[tuple[str, str]], licences: Sequence[Licence], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About Murmurscope"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(680, 520)
        self._licences = licences
        name = QLabel(f"Murmurscope {QApplication.applicationVersion()}".strip())
        font = name.font()
        font.setBold(True)
        font.setPixelSize(round(self.fontInfo().pixelSize() * 1.5))
        name.setFont(font)
        said = QLabel(self.tr("One window on a fleet of software agents that meet on an MQTT broker."))
        private = QLabel(self.tr("It talks to the brokers that you name, and to nobody else."))
        private.setProperty("tone", "muted")
        icon = QLabel()
        icon.setPixmap(QApplication.windowIcon().pixmap(_ICON, _ICON))
        words = QVBoxLayout()
        for label in (name, said, private):
            label.setTextFormat(Qt.TextFormat.PlainText)
            words.addWidget(label)
        head = QHBoxLayout()
        head.setSpacing(14)
        head.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(words, 1)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.versions = self._page(self.tr("Versions"))
        width = max(len(one) for one, _ in versions)
        self.versions.setPlainText("\n".join(f"{one:{width}}  {version}" for one, version in versions))
        self.tabs.addTab(self.versions, self.tr("Versions"))
        self.tabs.addTab(self._licence_page(), self.tr("Licences"))
        copy = QPushButton(self.tr("&Copy versions"))
        copy.setAutoDefault(False)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.versions.toPlainText()))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self.tabs, 1)
        column.addWidget(buttons)

    def _licence_page(self) -> QWidget:
        model = QStandardItemModel(0, 3, self)
        model.setHorizontalHeaderLabels([self.tr("Work"), self.tr("Version"), self.tr("Licence")])
        for one in self._licences:
            model.appendRow([QStandardItem(text) for text in one[:3]])
        self.table = TableView(self.tr("Works that go with the program"))
        self.table.start_with(model, _WIDTHS)
        self.text = self._page(self.tr("Text of the licence"))
        self.text.setPlaceholderText(self.tr("Its text lies beside the installed package."))
        halves = QSplitter(Qt.Orientation.Vertical)
        halves.setChildrenCollapsible(False)
        halves.addWidget(self.table)
        halves.addWidget(self.text)
        halves.setSizes([200, 200])
        self.table.selectionModel().currentRowChanged.connect(self._show_text)
        self.table.setCurrentIndex(model.index(0, 0))
        return halves

    def _show_text(self, row: QModelIndex) -> None:
        self.text.setPlainText(self._licences[row.row()].text() if row.isValid() else "")

    def _page(self, name: str) -> QPlainTextEdit:
        page = QPlainTextEdit()
        page.setReadOnly(True)
        page.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        page.setAccessibleName(name)
        return page
