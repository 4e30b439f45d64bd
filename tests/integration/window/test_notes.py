"""Annotations, from a key in one window through the recorder to the plots and the list of another."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton

from app.window.composition import Composition, WindowOptions
from models.storage.workspace import Workspace
from tests.helpers.store import rows


def texts(window: Composition) -> list[str]:
    return [one.text for one in window._shown.notes._book.all]


def test_what_one_window_marks_the_other_shows_takes_back_and_goes_to(
    live_window: Composition, qapp: QApplication, qtbot
) -> None:
    workspace: Workspace = live_window._workspace
    other = Composition(qapp, workspace, WindowOptions(theme="light"))
    other.window.show()
    other.fill()
    qtbot.waitUntil(lambda: other.data is not None and other.link.state is not None, timeout=20_000)
    try:
        at_us = live_window.clock.wall_us() - 3_600_000_000
        live_window.screens.stand_at(at_us)
        live_window._actions["view.annotate"].trigger()
        (dialog,) = live_window._shown.notes.dialogs
        assert dialog.annotation.since_us == at_us, "the moment where the window stands"
        dialog.text.setPlainText("=Deployed")
        dialog.tags.setText("#v2")
        qtbot.keyClick(dialog.text, Qt.Key.Key_Tab)
        dialog.save()
        qtbot.waitUntil(lambda: not live_window._shown.notes.dialogs, timeout=20_000)
        qtbot.waitUntil(lambda: texts(live_window) == texts(other) == ["=Deployed"], timeout=20_000)
        assert rows(workspace, "catalogue", "SELECT since_us, until_us, agent_id, text, tags FROM annotation") == [
            (at_us, at_us, 0, "=Deployed", '["v2"]')
        ]

        other._actions["view.annotations"].trigger()
        listed = other._shown.notes.list
        qtbot.waitUntil(lambda: listed.table.records.rowCount() == 1)
        listed.table.selectRow(0)
        listed.jump.click()
        assert other.window.time_cursor.pinned_us == at_us
        assert other.window.time_range.current().since_us <= at_us <= other.window.time_range.current().until_us

        book = live_window._shown.notes._book
        book.remove_wanted.emit(list(book.all))
        qtbot.waitUntil(lambda: texts(live_window) == texts(other) == [], timeout=20_000)
        assert listed._stack.view.state.sentence == "Nothing is annotated yet"
        notices = live_window.window.notices
        assert "annotation" in notices.keys()  # noqa: SIM118 - no dictionary
        undo = next(one for one in notices.findChildren(QPushButton) if one.text() == "Undo")
        undo.click()
        qtbot.waitUntil(lambda: texts(live_window) == texts(other) == ["=Deployed"], timeout=20_000)
        assert "annotation" not in notices.keys()  # noqa: SIM118
    finally:
        other.close()
        other.window.close()
        other.window.deleteLater()
