"""The form: refuses what no topic is, asks twice before something stays with the broker, says what came of it."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from models.domain.messages import Properties
from models.domain.problems import Problem
from models.domain.publishing import OutgoingMessage, Published, Template
from widgets.messages.publish_form import PublishForm

FULL = OutgoingMessage("a/b", b'{"x": 1}', 0, properties=Properties("text/x", "re/ply", b"\x01\xfe", None, (("k", "a=b"), ("ż", ""))))  # fmt: skip


@pytest.fixture
def form(qtbot: QtBot) -> PublishForm:
    made = PublishForm()
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


@pytest.fixture
def asked(form: PublishForm) -> list[OutgoingMessage]:
    found: list[OutgoingMessage] = []
    form.publish_requested.connect(found.append)
    return found


def tone(form: PublishForm) -> str:
    return str(form.notice.property("tone"))


def test_what_the_form_says_is_published(form: PublishForm, asked: list, qtbot: QtBot) -> None:
    form.topic.setText("a/ż")
    form.payload.text.setPlainText("two\nlines")
    qtbot.keyClick(form.payload.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert asked == [OutgoingMessage("a/ż", b"two\nlines", 1)]
    assert not form.publish.isEnabled()
    form.show_result(Published(0, "Success", 12_000))
    assert form.notice.text() == "The broker acknowledged it after 12 ms."
    assert form.publish.isEnabled()


def test_a_message_comes_back_as_it_was(form: PublishForm, asked: list) -> None:
    form.show_message(FULL)
    assert form.properties.isVisible()
    form.publish.click()
    assert asked == [FULL]


@pytest.mark.parametrize("payload", [b"\x00\xff", b"a\r\nb", "a\u2028b".encode(), b"\xef\xbb\xbfx", b"a\0b", b""])
def test_bytes_that_an_editor_would_change_are_kept(form: PublishForm, asked: list, payload: bytes) -> None:
    form.show_message(OutgoingMessage("t", payload))
    form.publish.click()
    assert asked == [OutgoingMessage("t", payload)]


def test_kept_bytes_can_be_given_up_for_text(form: PublishForm, asked: list, qtbot: QtBot) -> None:
    form.show_message(OutgoingMessage("t", b"\x00\xff"))
    assert form.payload.text.isReadOnly()
    assert "byte by byte" in form.payload.hint.text()
    form.payload._write.click()
    qtbot.keyClicks(form.payload.text, "x")
    form.publish.click()
    assert asked == [OutgoingMessage("t", b"x")]


@pytest.mark.parametrize(
    ("topic", "part"), [("", "no topic"), ("a/+", "holds +"), ("a/#", "holds #"), ("a\0", "cannot carry")]
)
def test_what_is_no_topic_is_refused_with_a_sentence(form: PublishForm, asked: list, topic: str, part: str) -> None:
    form.topic.setText(topic)
    form.publish.click()
    assert asked == []
    assert part in form.notice.text()
    assert tone(form) == "error"
    form.topic.setText("a")
    assert form.notice.isHidden()


def test_a_correlation_that_is_no_hex_is_refused(form: PublishForm, asked: list) -> None:
    form.topic.setText("a")
    form.properties.correlation.setText("xyz")
    form.publish.click()
    assert asked == []
    assert "hexadecimal" in form.notice.text()


def test_retained_is_asked_twice_naming_the_topic(form: PublishForm, asked: list) -> None:
    form.show_message(OutgoingMessage("a/b", b"x", 1, retain=True))
    form.publish.click()
    assert asked == []
    assert "“a/b”" in form.notice.text()
    assert form.publish.text() == "Yes, &publish it retained"
    form.topic.setText("a/c")  # another topic is another question
    assert form.publish.text() == "&Publish"
    form.publish.click()
    assert asked == []
    form.publish.click()
    assert asked == [OutgoingMessage("a/c", b"x", 1, retain=True)]


def test_removing_a_retained_message_is_asked_twice(form: PublishForm, asked: list) -> None:
    form.ask_to_clear("a/b")
    assert asked == []
    assert form.notice.text().startswith("This removes the retained message of “a/b”")
    form.publish.click()
    assert asked == [OutgoingMessage("a/b", b"", 1, retain=True)]
    form.show_result(Published(0, "Success", 1_000))
    form.publish.click()  # once more asks once more
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("qos", "result", "words"),
    [
        (1, Published(0x10, "No matching subscribers", 5_000), "nobody is subscribed"),
        (0, Published(0, "Success", 5_000), "does not say whether it arrived"),
        (1, Problem("publish.refused", {"host": "h", "detail": "Not authorized"}), "h refused the message: Not authorized."),
        (1, Problem("publish.not-connected"), "Nothing was published"),
    ],
)  # fmt: skip
def test_what_came_of_it_is_said(form: PublishForm, asked: list, qos: int, result: object, words: str) -> None:
    form.show_message(OutgoingMessage("a", b"x", qos))
    form.publish.click()
    form.show_result(result)
    assert words in form.notice.text()
    assert tone(form) == ("error" if isinstance(result, Problem) else "good")
    assert form.publish.isEnabled()


def test_a_second_press_while_the_first_is_on_its_way_publishes_once(form: PublishForm, asked: list) -> None:
    form.show_message(OutgoingMessage("a", b"x"))
    form._publish()
    form._publish()
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("text", "hint"),
    [('{"a": 1}', "valid JSON · 8 B"), ("5", "valid JSON · 1 B"), ("hello", "text · 5 B"), ("", "empty"),
     ('{"a": 1,\n}', "not JSON: line 2, column 1 · 10 B"), ("[" * 90_000, "text · 87.9 KiB")],
)  # fmt: skip
def test_the_payload_is_judged_while_one_types(form: PublishForm, text: str, hint: str, qtbot: QtBot) -> None:
    form.payload.text.setPlainText(text)
    qtbot.waitUntil(lambda: form.payload.hint.text() == hint)


def test_templates_fill_the_form_and_are_saved_and_deleted_by_name(form: PublishForm, qtbot: QtBot) -> None:
    assert not form.save.isEnabled()
    form.show_templates([Template("full", FULL), Template("<b>", OutgoingMessage("t"))])
    form.templates.setCurrentIndex(0)
    form.templates.activated.emit(0)
    assert form.message() == FULL
    assert form.save.text() == "Re&place"
    with qtbot.waitSignal(form.delete_requested) as told:
        form.delete.click()
    assert told.args == ["full"]
    form.templates.setEditText("  new ")
    assert (form.save.text(), form.delete.isEnabled()) == ("&Save", False)
    with qtbot.waitSignal(form.save_requested) as told:
        form.save.click()
    assert told.args == [Template("new", FULL)]
    form.topic.setText("a/#")
    with qtbot.assertNotEmitted(form.save_requested):
        form.save.click()
