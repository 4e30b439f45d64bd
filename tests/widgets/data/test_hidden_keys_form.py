"""The list of keys whose values are hidden: added to, taken from, put back; nothing that is no key."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from models.domain.masking import MOST_KEYS, PLAIN_KEYS, Masking
from models.domain.messages import Origin, RawMessage
from tests.widgets.conftest import Desk
from widgets.data.hidden_keys_form import HiddenKeysForm


@pytest.fixture
def form(desk: Desk, shown: Callable[[QWidget], QWidget]) -> HiddenKeysForm:
    one = HiddenKeysForm()
    one.resize(1_000, 600)
    shown(one)
    return one


def write(form: HiddenKeysForm, qtbot: QtBot, text: str) -> None:
    form.field.clear()
    qtbot.keyClicks(form.field, text)
    qtbot.keyClick(form.field, Qt.Key.Key_Return)


def test_nothing_can_be_done_before_the_settings_are_read(form: HiddenKeysForm) -> None:
    assert not any(one.isEnabled() for one in (form.list, form.field, form.add, form.usual, form.apply))
    form.show_keys(PLAIN_KEYS)
    assert form.typed == PLAIN_KEYS
    assert form.list.isEnabled()
    assert not any(one.isEnabled() for one in (form.add, form.remove, form.usual, form.undo, form.apply))


def test_keys_are_added_and_removed_and_wanted_together(form: HiddenKeysForm, qtbot: QtBot) -> None:
    form.show_keys(["token", "password"])
    write(form, qtbot, "license_key, pin")
    assert form.typed == ("token", "password", "license_key", "pin")
    assert form.field.text() == ""
    write(form, qtbot, "PASSWORD")
    assert len(form.typed) == 4, "capitals make no other key"
    assert form.list.currentRow() == 1, "it is pointed at"
    form.list.setFocus()
    qtbot.keyClick(form.list, Qt.Key.Key_Delete)
    assert form.typed == ("token", "license_key", "pin")
    with qtbot.waitSignal(form.wanted) as wanted:
        form.apply.click()
    assert wanted.args == [("token", "license_key", "pin")]
    form.undo.click()
    assert form.typed == ("token", "password")


def test_what_somebody_changes_is_not_taken_from_under_their_hands(form: HiddenKeysForm, qtbot: QtBot) -> None:
    form.show_keys(["token"])
    write(form, qtbot, "pin")
    form.show_keys(["token", "cookie"])
    assert form.typed == ("token", "pin")
    form.undo.click()
    assert form.typed == ("token", "cookie")


@pytest.mark.parametrize("text", ["a/b", "hasło", "*", "_", "x" * 101])
def test_what_is_no_key_is_told(form: HiddenKeysForm, qtbot: QtBot, text: str) -> None:
    form.show_keys(["token"])
    form.field.setText(f"pin {text}")
    form.add.click()
    assert form.typed == ("token",)
    assert "is no key" in form._trouble.text()
    assert form.field.text() == f"pin {text}", "to be mended"


def test_an_empty_list_warns_and_the_usual_ones_come_back(form: HiddenKeysForm) -> None:
    form.show_keys(["pin"])
    form.list.selectAll()
    form.remove.click()
    assert form.typed == ()
    assert "nothing is hidden" in form.note.text()
    form.usual.click()
    assert form.typed == PLAIN_KEYS
    assert form.note.isHidden()


def test_there_are_no_more_than_the_recorder_takes(form: HiddenKeysForm, qtbot: QtBot) -> None:
    form.show_keys([f"k{n}" for n in range(MOST_KEYS)])
    write(form, qtbot, "more")
    assert len(form.typed) == MOST_KEYS
    assert "room" in form._trouble.text()


def test_every_key_that_may_be_added_hides(form: HiddenKeysForm, qtbot: QtBot) -> None:
    form.show_keys([])
    write(form, qtbot, "license_key x-pin a.b")
    masking = Masking(form.typed)
    for key in form.typed:
        payload = f'{{"{key}": "abc", "other": "abc"}}'.encode()
        (hidden,) = masking.applied([RawMessage(b"t", payload, 0, False, False, 0, None, 1, Origin.LIVE, 1)]).messages
        assert hidden.payload == f'{{"{key}": "***", "other": "abc"}}'.encode()
