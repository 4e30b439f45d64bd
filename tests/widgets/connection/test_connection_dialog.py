from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from models.domain.connection import DEFAULT_FILTERS, Connection, Protocol, Secret
from models.domain.control import StepState, TestStep
from models.domain.problems import Problem
from widgets.common.theme import ThemeHolder
from widgets.connection.connection_dialog import ConnectionDialog
from widgets.connection.connection_form import ConnectionForm, is_loopback

FULL = Connection(
    scheme="mqtts",
    host="broker.example",
    port=8884,
    user="me",
    ca_file="/ca.pem",
    certificate_file="/c.pem",
    key_file="/k.pem",
    protocol=Protocol.MQTT_311,
    filters=("a/#", "$SYS/#"),
    keepalive_s=30,
    session_expiry_s=60,
    prefix="fleet/one",
)


@pytest.fixture
def themes(qapp: QApplication) -> ThemeHolder:
    return ThemeHolder(qapp, "light")


@pytest.fixture
def form(qtbot) -> ConnectionForm:
    form = ConnectionForm()
    qtbot.addWidget(form)
    form.show()
    return form


@pytest.fixture
def dialog(qtbot, themes: ThemeHolder) -> Iterator[ConnectionDialog]:
    dialog = ConnectionDialog(themes)
    qtbot.addWidget(dialog)
    dialog.tests, dialog.saves, dialog.keeps = [], [], []
    dialog.test_requested.connect(lambda *what: dialog.tests.append(what))
    dialog.save_requested.connect(lambda *what: dialog.saves.append(what[:2]))
    dialog.save_requested.connect(lambda *what: dialog.keeps.append(what[2]))
    dialog.show()
    qtbot.waitExposed(dialog)
    return dialog


def type_host(dialog: ConnectionDialog, text: str, qtbot) -> None:
    dialog.form.host.clear()
    qtbot.keyClicks(dialog.form.host, text)


@pytest.mark.parametrize(
    "connection",
    [
        Connection(),
        FULL,
        Connection(scheme="ws", host="::1", port=80, path="/mqtt"),
        Connection(scheme="wss", host="h", port=443, path="/a/b"),
    ],
)
def test_fields_give_back_the_connection_they_show(form: ConnectionForm, connection: Connection) -> None:
    form.show_connection(connection)
    assert form.connection() == connection
    assert form.secret() is None


@pytest.mark.parametrize(
    ("typed", "expected", "secret"),
    [
        ("mqtts://me:pa%20ss@broker.example", Connection("mqtts", "broker.example", 8883, user="me"), Secret("pa ss")),
        ("wss://h/mqtt", Connection("wss", "h", 443, "/mqtt"), None),
        ("broker.example:1884", Connection("mqtt", "broker.example", 1884), None),
        ("[::1]:1884", Connection("mqtt", "::1", 1884), None),
        ("::1", Connection("mqtt", "::1", 1883), None),
        ("me@h", Connection("mqtt", "h", 1883, user="me"), None),
    ],
)
def test_an_address_in_one_piece_fills_the_fields(
    form, qtbot, typed: str, expected: Connection, secret: object
) -> None:
    form.host.clear()
    qtbot.keyClicks(form.host, typed)
    qtbot.keyClick(form.host, Qt.Key.Key_Return)
    assert form.host.text() == expected.host
    assert form.connection() == expected
    assert form.secret() == secret


def test_a_pasted_address_fills_the_fields_at_once(form: ConnectionForm) -> None:
    form.host.selectAll()
    form.host.insert("mqtts://broker.example:8884")
    assert (form.scheme.currentData(), form.host.text(), form.port.value()) == ("mqtts", "broker.example", 8884)


def test_the_port_follows_the_scheme_unless_it_was_chosen(form: ConnectionForm) -> None:
    form.scheme.setCurrentIndex(form.scheme.findData("mqtts"))
    assert form.port.value() == 8883
    form.port.setValue(9999)
    form.scheme.setCurrentIndex(form.scheme.findData("mqtt"))
    assert form.port.value() == 9999


def test_only_fields_that_fit_the_scheme_are_there_and_count(form: ConnectionForm) -> None:
    form.show_connection(FULL)
    assert form.ca_file.isVisible()
    assert not form.path.isVisible()
    form.scheme.setCurrentIndex(form.scheme.findData("ws"))
    assert not form.ca_file.isVisible()
    assert form.path.isVisible()
    assert form.connection().ca_file == ""


def test_empty_advanced_fields_mean_the_defaults(form: ConnectionForm) -> None:
    form.show_connection(FULL)
    form.advanced.filters.setPlainText(" \n")
    form.advanced.prefix.setText(" / ")
    assert form.connection().filters == DEFAULT_FILTERS
    assert form.connection().prefix == "agents"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("[::1]", True),
        ("a.localhost", True),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_a_password_over_an_open_network_is_warned_of(dialog, qtbot) -> None:
    type_host(dialog, "broker.example", qtbot)
    assert not dialog.notice.isVisible()
    qtbot.keyClicks(dialog.form.password, "x")
    assert "not encrypted" in dialog.notice.text()
    assert dialog.save_button.isEnabled()
    dialog.form.scheme.setCurrentIndex(dialog.form.scheme.findData("mqtts"))
    assert not dialog.notice.isVisible()
    dialog.form.scheme.setCurrentIndex(dialog.form.scheme.findData("mqtt"))
    type_host(dialog, "localhost", qtbot)
    assert not dialog.notice.isVisible()


def test_saving_hands_over_connection_and_password_and_forgets_the_password(dialog, qtbot) -> None:
    type_host(dialog, "mqtts://me:x@broker.example", qtbot)
    qtbot.keyClick(dialog.form.host, Qt.Key.Key_Return)
    assert dialog.saves == [(Connection("mqtts", "broker.example", 8883, user="me"), Secret("x"))]
    dialog.accept()
    assert dialog.form.password.text() == ""


def test_an_address_that_is_none_is_told_and_not_saved(dialog, qtbot) -> None:
    qtbot.mouseClick(dialog.save_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(dialog.test_button, Qt.MouseButton.LeftButton)
    assert dialog.saves == dialog.tests == []
    assert "not the address of a broker" in dialog.notice.text()


def test_the_broker_on_this_computer_needs_no_fields(dialog, qtbot) -> None:
    dialog.embedded.click()
    assert not dialog.form.isEnabled()
    assert not dialog.test_button.isEnabled()
    qtbot.mouseClick(dialog.save_button, Qt.MouseButton.LeftButton)
    assert dialog.saves == [(None, None)]


def test_steps_are_shown_as_they_happen_with_cause_and_remedy_of_the_one_that_failed(dialog, qtbot) -> None:
    type_host(dialog, "nowhere.example", qtbot)
    qtbot.mouseClick(dialog.test_button, Qt.MouseButton.LeftButton)
    assert dialog.tests == [(Connection(host="nowhere.example"), None)]
    assert not dialog.test_button.isEnabled()
    dialog.step_told(TestStep.NAME, StepState.RUNNING, None)
    assert row(dialog, TestStep.NAME) == "Find the computer: trying…"
    dialog.step_told(TestStep.NAME, StepState.FAILED, Problem("broker.name", {"host": "nowhere.example"}))
    dialog.test_ended(None)
    shown = row(dialog, TestStep.NAME)
    assert shown.startswith("Find the computer: failed: There is no computer named nowhere.example.")
    assert "Check the spelling" in shown
    assert row(dialog, TestStep.TCP) == "Reach its port"
    assert "failed at “Find the computer”" in dialog.notice.text()
    assert dialog.test_button.isEnabled()
    assert dialog.save_button.isEnabled()
    qtbot.mouseClick(dialog.save_button, Qt.MouseButton.LeftButton)
    assert len(dialog.saves) == 1


def row(dialog: ConnectionDialog, step: TestStep) -> str:
    return dialog.steps._rows[step][1].accessibleName()


def test_every_state_of_every_step_is_told_by_a_word(dialog) -> None:
    for step in TestStep:
        words = set()
        for state in (StepState.RUNNING, StepState.PASSED, StepState.FAILED, StepState.SKIPPED):
            dialog.steps.show_step(step, state, None)
            words.add(row(dialog, step))
        assert len(words) == 4


def test_outside_text_in_a_step_stays_plain(dialog) -> None:
    problem = Problem("broker.refused", {"host": "<b>h</b>", "detail": "<img src=x>\u202e"})
    dialog.steps.show_step(TestStep.CONNACK, StepState.FAILED, problem)
    detail = dialog.steps._rows[TestStep.CONNACK][3]
    assert detail.textFormat() is Qt.TextFormat.PlainText
    assert "<img src=x>\\u202e" in detail.text()
    assert dialog.notice.textFormat() is Qt.TextFormat.PlainText


def test_an_edit_makes_the_last_test_void_and_a_running_one_too(dialog, qtbot) -> None:
    type_host(dialog, "h", qtbot)
    dialog.steps.show_step(TestStep.NAME, StepState.PASSED, None)
    qtbot.keyClicks(dialog.form.host, "2")
    assert dialog.steps.state(TestStep.NAME) is None
    qtbot.mouseClick(dialog.test_button, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(dialog.form.host, "3")
    dialog.step_told(TestStep.NAME, StepState.FAILED, Problem("broker.name", {"host": "h2"}))
    dialog.test_ended(None)
    assert dialog.steps.failed_step() is None
    assert not dialog.notice.isVisible()
    assert dialog.test_button.isEnabled()


def test_a_test_that_could_not_be_made_says_why(dialog, qtbot) -> None:
    type_host(dialog, "h", qtbot)
    qtbot.mouseClick(dialog.test_button, Qt.MouseButton.LeftButton)
    dialog.test_ended(Problem("recorder.absent", {"path": "/w"}))
    assert "No recorder runs" in dialog.notice.text()
    assert dialog.test_button.isEnabled()


def test_shows_what_is_in_force(dialog) -> None:
    dialog.show_connection(FULL, embedded=False)
    assert dialog.own.isChecked()
    assert dialog.form.connection() == FULL
    dialog.show_connection(None, embedded=True)
    assert dialog.embedded.isChecked()


def test_every_field_has_a_name_and_the_keyboard_reaches_it(dialog, qtbot) -> None:
    dialog.show_connection(FULL, embedded=False)
    dialog.form._more.click()
    fields = [
        one
        for kind in (QLineEdit, QSpinBox, QComboBox, QPlainTextEdit)
        for one in dialog.findChildren(kind)
        if one.isVisible() and one.objectName() != "qt_spinbox_lineedit"
    ]
    assert len(fields) >= 12
    assert [one for one in fields if not one.accessibleName()] == []
    reached: set[QWidget] = set()
    for _ in range(60):
        reached.add(dialog.focusWidget())
        dialog.focusNextPrevChild(True)
    assert [one for one in fields if one not in reached] == []
    assert {button for button in dialog.findChildren(QPushButton) if button.isVisible()} <= reached
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_no_two_controls_share_a_mnemonic(dialog) -> None:
    dialog.show_connection(FULL, embedded=False)
    dialog.form._more.click()
    texts = [one.text() for kind in (QLabel, QAbstractButton) for one in dialog.findChildren(kind) if one.isVisible()]
    keys = [text[text.index("&") + 1].lower() for text in texts if "&" in text and text != "&Cancel"]
    assert len(keys) >= 14
    assert len(keys) == len(set(keys))


# ------------------------------------------------------------ keyring


def test_a_password_is_kept_where_there_is_a_keyring_and_the_box_is_ticked(dialog: ConnectionDialog) -> None:
    form, keep = dialog.form, dialog.form.keyring.keep
    form.host.setText("broker.example")
    form.user.setText("me")
    assert not keep.isEnabled(), "nobody has looked for a keyring yet"
    dialog.save_button.click()
    form.show_keyring("")
    assert keep.isEnabled()
    dialog.save_button.click()
    keep.setChecked(False)
    dialog.save_button.click()
    assert dialog.keeps == [False, True, False]


def test_only_the_password_of_a_named_user_is_kept(dialog: ConnectionDialog) -> None:
    dialog.form.show_keyring("")
    dialog.form.host.setText("broker.example")
    assert not dialog.form.keyring.keep.isEnabled()
    assert "give the user" in dialog.form.keyring.keep.accessibleDescription()
    dialog.form.user.setText("me")
    assert dialog.form.keyring.keep.isEnabled()


def test_it_says_why_there_is_no_keyring(dialog: ConnectionDialog) -> None:
    dialog.form.user.setText("me")
    dialog.form.keyring.show_problem(Problem("keyring.none", {"detail": "no program of this computer offers one"}))
    assert not dialog.form.keyring.keep.isEnabled()
    assert not dialog.form.keyring.keep.isChecked()
    said = dialog.form.keyring.keep.accessibleDescription()
    assert "no program of this computer offers one" in said
    assert "this session only" in said


def test_a_kept_password_is_told_for_its_broker_alone(dialog: ConnectionDialog) -> None:
    dialog.show_connection(FULL, embedded=False)
    dialog.form.show_keyring(FULL.url)
    assert dialog.form.password.placeholderText() == "as the keyring has it"
    assert "leave the password empty" in dialog.form.keyring.keep.accessibleDescription()
    dialog.form.user.setText("somebody-else")
    assert dialog.form.password.placeholderText() == ""


def test_a_keyring_that_refuses_is_told_in_the_dialog(dialog: ConnectionDialog) -> None:
    dialog.show_waiting()
    assert not dialog.save_button.isEnabled()
    dialog.show_not_kept(Problem("keyring.refused", {"detail": "it is locked"}))
    assert dialog.save_button.isEnabled()
    assert "it is locked" in dialog.notice.text()
    assert "this session only" in dialog.notice.text()
