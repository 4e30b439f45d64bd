from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from widgets.help.about_dialog import AboutDialog, Licence


def test_versions_are_copied_and_licences_read_when_chosen(qtbot: QtBot) -> None:
    read: list[str] = []

    def text(name: str) -> str:
        read.append(name)
        return f"licence of {name} <b>as it is</b>"

    dialog = AboutDialog(
        [("Murmurscope", "1.2"), ("Qt", "6.11")],
        [Licence(name, "1", "MIT", lambda name=name: text(name)) for name in ("own", "other")],
    )
    qtbot.addWidget(dialog)
    dialog.show()
    next(button for button in dialog.findChildren(QPushButton) if button.text() == "&Copy versions").click()
    assert QGuiApplication.clipboard().text() == "Murmurscope  1.2\nQt           6.11"
    assert read == ["own"], "the others when somebody looks"
    dialog.table.setCurrentIndex(dialog.table.model().index(1, 0))
    assert dialog.text.toPlainText() == "licence of other <b>as it is</b>"
