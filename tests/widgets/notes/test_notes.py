"""The book of annotations, the dialog that writes one, and the list of all of them."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox, QWidget
from pytestqt.qtbot import QtBot

from models.domain.annotations import Annotation
from models.domain.problems import Problem
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.widgets.conftest import Desk
from tests.widgets.fakes import AGENT, SECOND
from widgets.notes.note_dialog import AnnotationDialog
from widgets.notes.note_list import AnnotationList
from widgets.records.agent_names import AgentNames

Shown = Callable[[QWidget], QWidget]
DEPLOY = Annotation("1", T0 + 123, T0 + 123, 0, "", "Deployed 2.1", ("deploy", "v2"), T0)
OUTAGE = Annotation("2", T0 + 5 * SECOND, T0 + 65 * SECOND, AGENT, "crawler-1", "cable\npulled", ("network",), T0)
TEST = Annotation("3", T0 + 9 * SECOND, T0 + 9 * SECOND, 8, "crawler-2", "", ("deploy",), T0)


@pytest.fixture
def names(desk: Desk) -> AgentNames:
    found = AgentNames(desk.source)
    found.refresh()
    desk.source.answer_all()
    return found


@pytest.fixture
def filled(desk: Desk) -> Desk:
    desk.source.annotations = [DEPLOY, OUTAGE, TEST]
    desk.notes.refresh()
    desk.source.answer_all()
    return desk


def dialog_of(desk: Desk, names: AgentNames, one: Annotation, qtbot: QtBot) -> AnnotationDialog:
    dialog = AnnotationDialog(one, desk.notes, names)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    with qtbot.waitActive(dialog):
        dialog.show()
        dialog.activateWindow()
    return dialog


def save_button(dialog: AnnotationDialog) -> QWidget:
    return dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Save)


def test_the_book_asks_again_when_the_tail_tells_of_a_change_and_only_then(filled: Desk) -> None:
    asked = len(filled.source.asked)
    filled.tail.page(annotation_changes=4)
    filled.source.answer_all()
    filled.tail.page(annotation_changes=4)
    assert len(filled.source.asked) == asked + 1


def test_what_could_not_be_read_is_asked_for_again(filled: Desk) -> None:
    filled.source.problem = Problem("store.io", {"path": "/w", "detail": "d"})
    filled.tail.page(annotation_changes=4)
    filled.source.answer_all()
    assert filled.notes.problem is not None
    filled.source.problem = None
    filled.tail.page(annotation_changes=4)
    filled.source.answer_all()
    assert filled.notes.problem is None


def test_every_change_can_be_taken_back_the_last_first(filled: Desk) -> None:
    told: list[Problem | None] = []
    filled.notes.put(DEPLOY._replace(text="anew"), told.append)
    filled.notes.remove([OUTAGE, TEST], told.append)
    for _, done in filled.submitted:
        done(None)
    filled.source.answer_all()
    filled.notes.undo(told.append)
    commands, done = filled.submitted[-1]
    assert [(one["do"], one["id"], one["text"], one["agent"]) for one in commands] == [
        ("annotation.put", "2", "cable\npulled", "crawler-1"), ("annotation.put", "3", "", "crawler-2"),
    ]  # fmt: skip
    done(Problem("recorder.absent", {"path": "/w"}))
    assert filled.notes.can_undo, "it may be tried again"
    filled.notes.undo(told.append)
    assert filled.submitted[-1][0] == commands
    filled.submitted[-1][1](None)
    filled.notes.undo(told.append)
    assert filled.submitted[-1][0][0]["text"] == "Deployed 2.1"
    filled.submitted[-1][1](None)
    assert not filled.notes.can_undo
    assert [one.code if one else None for one in told] == [None, None, "recorder.absent", None, None]


def test_a_new_one_is_taken_back_by_removing_it(desk: Desk) -> None:
    desk.notes.put(DEPLOY, lambda _: None)
    desk.submitted[-1][1](None)
    desk.notes.undo(lambda _: None)
    assert desk.submitted[-1][0] == [{"do": "annotation.remove", "id": "1"}]


def test_the_dialog_keeps_what_was_typed_until_it_is_stored(desk: Desk, names: AgentNames, qtbot: QtBot) -> None:
    new = Annotation("9", T0 + 7, T0 + 7, AGENT, "crawler-1", "", (), 0)
    dialog = dialog_of(desk, names, new, qtbot)
    assert not save_button(dialog).isEnabled(), "nothing stands there"
    dialog.text.setPlainText("  a\nb ")
    dialog.tags.setText("#x, Y x")
    qtbot.keyClick(dialog.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    (command,), done = desk.submitted[-1]
    assert command == {
        "do": "annotation.put", "id": "9", "since_us": T0 + 7, "until_us": T0 + 7, "agent": "crawler-1", "text": "a\nb",
        "tags": ["x", "Y"],
    }  # fmt: skip
    assert not save_button(dialog).isEnabled()
    done(Problem("recorder.absent", {"path": "/w"}))
    assert dialog.isVisible()
    assert "No recorder runs on the workspace /w.\nStart one: murmurscope record --workspace /w" in dialog._wrong.text()
    assert dialog.text.toPlainText() == "  a\nb "
    dialog.save()
    desk.submitted[-1][1](None)
    assert not dialog.isVisible()


def test_the_dialog_makes_a_stretch_of_a_moment_and_refuses_one_that_ends_before_it_begins(
    desk: Desk, names: AgentNames, qtbot: QtBot
) -> None:
    dialog = dialog_of(desk, names, DEPLOY, qtbot)
    assert dialog.until.isHidden()
    dialog.stretch.setChecked(True)
    dialog.until.setDateTime(dialog.since.dateTime().addSecs(-5))
    dialog.save()
    assert not desk.submitted
    assert dialog._wrong.text() == "It ends before it begins."
    dialog.until.setDateTime(dialog.since.dateTime().addSecs(5))
    dialog.agent.choose(8)
    dialog.save()
    command = desk.submitted[-1][0][0]
    assert (command["since_us"], command["until_us"]) == (T0 + 123, T0 + 5 * SECOND), "no microsecond is lost"
    assert command["agent"] == "crawler-2"


def test_the_dialog_tells_what_is_too_long(desk: Desk, names: AgentNames, qtbot: QtBot) -> None:
    dialog = dialog_of(desk, names, DEPLOY, qtbot)
    dialog.text.setPlainText("x" * 10_001)
    dialog.save()
    dialog.text.setPlainText("x")
    dialog.tags.setText("y" * 61)
    dialog.save()
    assert not desk.submitted
    assert "At most 20 tags" in dialog._wrong.text()


@pytest.fixture
def listed(filled: Desk, names: AgentNames, shown: Shown) -> AnnotationList:
    made = AnnotationList(filled.notes, names, filled.theme)
    shown(made)
    return made


def texts(listed: AnnotationList, column: int = 3) -> list[str]:
    records = listed.table.records
    return [records.index(row, column).data() for row in range(records.rowCount())]


def test_the_list_is_searched_filtered_by_tag_and_sorted(listed: AnnotationList) -> None:
    assert texts(listed) == ["", "cable⏎pulled", "Deployed 2.1"], "the newest first"
    assert texts(listed, 2) == ["Crawler Two", "crawler-1", "Everybody"]
    assert texts(listed, 1) == ["", "1 min", ""]
    listed.tag.setCurrentIndex(listed.tag.findData("deploy"))
    assert texts(listed, 4) == ["#deploy", "#deploy #v2"]
    listed.search.setText("DEPLOYED v2")
    assert texts(listed) == ["Deployed 2.1"]
    listed.search.setText("nowhere")
    assert not listed._stack.shows_content
    listed._clear()
    listed.search.setText("crawler-2")
    assert texts(listed, 4) == ["#deploy"]
    listed.search.clear()
    listed.table.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    assert texts(listed) == ["Deployed 2.1", "cable⏎pulled", ""]


def test_from_the_list_one_goes_edits_copies_deletes_and_undoes(
    filled: Desk, listed: AnnotationList, qtbot: QtBot
) -> None:
    went: list[Annotation] = []
    edited: list[Annotation] = []
    listed.jump_wanted.connect(went.append)
    filled.notes.edit_wanted.connect(edited.append)
    with qtbot.waitActive(listed):
        listed.activateWindow()
    listed.table.clearSelection()
    listed.table.selectRow(1)
    listed.begin()  # what is selected stays
    qtbot.keyClick(listed.table, Qt.Key.Key_Return)
    qtbot.keyClick(listed.table, Qt.Key.Key_F2)
    assert (went, edited) == ([OUTAGE], [OUTAGE])
    qtbot.keyClick(listed.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert "cable⏎pulled" in QGuiApplication.clipboard().text()
    assert not listed.undo.isEnabled()
    qtbot.keyClick(listed.table, Qt.Key.Key_Delete)
    commands, done = filled.submitted[-1]
    assert commands == [{"do": "annotation.remove", "id": "2"}]
    done(Problem("recorder.silent", {"pid": 7, "seconds": 5}))
    assert "(process 7) has not answered" in listed.notice.text()
    qtbot.keyClick(listed.table, Qt.Key.Key_Delete)
    filled.source.annotations.remove(OUTAGE)
    filled.submitted[-1][1](None)
    filled.source.answer_all()
    assert texts(listed) == ["", "Deployed 2.1"]
    assert not listed.notice.isVisible()
    qtbot.keyClick(listed.table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert filled.submitted[-1][0][0]["text"] == "cable\npulled"


def test_an_empty_list_says_how_one_is_made(desk: Desk, names: AgentNames, shown: Shown) -> None:
    made = AnnotationList(desk.notes, names, desk.theme)
    shown(made)
    desk.notes.refresh()
    desk.source.answer_all()
    assert made._stack.view.state.sentence == "Nothing is annotated yet"
    assert "press A" in made._stack.view.state.hint
    desk.source.problem = Problem("store.io", {"path": "/w", "detail": "d"})
    desk.notes.refresh()
    desk.source.answer_all()
    assert "/w" in made._stack.view.state.sentence


def test_it_stays_open_while_it_is_stored_so_that_nothing_is_lost_where_that_fails(
    desk: Desk, names: AgentNames, qtbot: QtBot
) -> None:
    dialog = dialog_of(desk, names, OUTAGE, qtbot)
    dialog.save()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    dialog.text.setPlainText("typed meanwhile")
    assert dialog.isVisible()
    assert not save_button(dialog).isEnabled(), "it is stored once"
    _, done = desk.submitted[-1]
    done(Problem("recorder.absent", {"path": "/w"}))
    assert dialog.text.toPlainText() == "typed meanwhile"
    assert save_button(dialog).isEnabled()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
