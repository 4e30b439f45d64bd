"""The form for teaching: fields fit the meaning, what is wrong stands below its field, what was written by hand stays."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from models.domain.json_path import NOTHING
from models.domain.problems import Problem
from models.domain.rules import Meaning, Rule, Rules, SameAgent, rule_of
from tests.widgets.conftest import Desk
from tests.widgets.fakes import SECOND
from widgets.messages.lesson import Lesson, add_teach_menu
from widgets.messages.payload_places import MOST_PLACES, Place, places_of
from widgets.messages.rule_form import RuleForm
from widgets.messages.rule_list import RuleList
from widgets.messages.rule_preview_view import Preview, ReadRow

NUMBER = rule_of({"topic": "plant/{agent}/out", "means": "number", "path": "v.t", "agent": "{agent}", "metric": "v.t"})
PLACES = [Place(("dev", "id"), "mixer-1"), Place(("v", "t"), 60.5), Place(("odd key",), 1)]


@pytest.fixture
def form(desk: Desk, shown: Callable[..., RuleForm]) -> RuleForm:
    made = shown(RuleForm(desk.theme))
    made.begin(Meaning.NUMBER)
    made.propose(NUMBER, PLACES)
    return made


def shown_fields(form: RuleForm) -> set[str]:
    return {key for key, row in form.fields._rows.items() if row.isVisible()}


def choose(form: RuleForm, data: str) -> None:
    box = form.fields.meaning
    box.setCurrentIndex(box.findData(data))
    box.activated.emit(box.currentIndex())


def write(qtbot: QtBot, form: RuleForm, key: str, text: str) -> None:
    form.fields.fields[key].line.selectAll()
    qtbot.keyClicks(form.fields.fields[key].line, text)


def row(what: str, value: float | str, place: int = 0, *, other: bool = False) -> ReadRow:
    return ReadRow(place, 5 * SECOND, "mixer-1", what, value, "Cel" if isinstance(value, float) else "", other)


def test_a_meaning_has_its_own_fields(form: RuleForm) -> None:
    assert shown_fields(form) == {"topic", "path", "agent", "metric", "unit", "scale", "kind", "time"}
    choose(form, "log")
    assert shown_fields(form) == {"topic", "path", "agent", "time", "level", "logger"}
    choose(form, "ignore")
    assert shown_fields(form) == {"topic"}
    choose(form, "same")
    assert shown_fields(form) == {"name", "same"}


def test_every_key_tells_the_rule_as_it_stands(form: RuleForm, qtbot: QtBot) -> None:
    told: list[Rule] = []
    form.rule_changed.connect(told.append)
    write(qtbot, form, "metric", "heat")
    assert [one.metric for one in told[-4:]] == ["h", "he", "hea", "heat"]
    write(qtbot, form, "scale", "0.1")
    assert told[-1].scale == 0.1
    form.fields.kind.setCurrentIndex(2)
    assert told[-1].kind == "counter"


def test_messages_are_wanted_when_the_topic_rests(form: RuleForm, qtbot: QtBot) -> None:
    wanted: list[str] = []
    form.pattern_changed.connect(wanted.append)
    write(qtbot, form, "metric", "x")
    write(qtbot, form, "topic", "plant/{agent}/+")
    assert wanted == []
    qtbot.waitUntil(lambda: wanted == ["plant/{agent}/+"])


@pytest.mark.parametrize(
    ("key", "text", "sentence"),
    [
        ("topic", "a/#/b", "# may only be the last level of the topic"), ("path", "a..b", "no JSON path"),
        ("agent", "{who}", "no level of the topic"), ("scale", "x", "scale is no number"), ("scale", "0", "other than 0"),
        ("time", "[", "no JSON path"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_below_its_field(form: RuleForm, qtbot: QtBot, key: str, text: str, sentence: str) -> None:
    write(qtbot, form, key, text)
    field = form.fields.fields[key]
    assert form.said is None
    assert field.error.isVisible()
    assert sentence in field.error.text()
    assert sentence in field.line.accessibleDescription()
    assert not form.save.isEnabled()
    field.line.setText({"scale": "1", "topic": "ok/{agent}"}.get(key, "ok"))
    assert field.error.isHidden()
    assert form.save.isEnabled()


def test_what_was_written_by_hand_stays_when_something_else_is_proposed(form: RuleForm, qtbot: QtBot) -> None:
    write(qtbot, form, "unit", "mm")
    form.propose(rule_of({"topic": "other/{agent}", "means": "number", "metric": "n", "unit": "s"}), PLACES)
    assert (form.said.topic, form.said.metric, form.said.unit) == ("other/{agent}", "n", "mm")
    form.begin(Meaning.NUMBER)
    form.propose(NUMBER, PLACES)
    assert form.said == NUMBER


def test_places_of_the_message_are_offered_numbers_first(form: RuleForm) -> None:
    box = form.fields.fields["path"].box
    assert [box.itemText(at) for at in range(box.count())] == ["v.t", '["odd key"]', "dev.id"]
    agents = form.fields.fields["agent"].box
    assert [agents.itemText(at) for at in range(agents.count())] == ["{agent}", "$.v.t", '$["odd key"]', "$.dev.id"]
    for at in range(1, agents.count()):
        form.fields.fields["agent"].line.setText(agents.itemText(at))
        assert form.said is not None


def test_another_place_asks_for_a_proposal(form: RuleForm, qtbot: QtBot) -> None:
    box = form.fields.fields["path"].box
    with qtbot.waitSignal(form.proposal_wanted):
        box.setCurrentIndex(1)
        box.activated.emit(1)


def test_a_rule_is_saved_once_and_again_after_a_problem(form: RuleForm, qtbot: QtBot) -> None:
    saved: list[object] = []
    form.save_requested.connect(saved.append)
    qtbot.keyClick(form.fields.fields["metric"].line, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    form.save.click()
    assert saved == [NUMBER]
    form.show_problem(Problem("workspace.read-only", {"path": "/x", "detail": "no"}))
    assert form.notice.isVisible()
    form.save.click()
    assert saved == [NUMBER, NUMBER]


def test_the_same_agent_needs_two_names(form: RuleForm) -> None:
    form.begin(None)
    form.fields.offer_agents(["mixer-1", "mixer-2"])
    form.propose(SameAgent("mixer-2", ""))
    assert form.fields.fields["same"].error.text() == "Choose the agent that it is."
    form.fields.fields["same"].line.setText("mixer-2")
    assert form.said is None
    form.fields.fields["same"].line.setText("mixer-1")
    assert form.said == SameAgent("mixer-2", "mixer-1")


def test_a_preview_says_what_the_rule_does(form: RuleForm) -> None:
    after = (row("temperature", 60.5, other=True), row("unreadable", "text", 1), row("log", "info hot", 2))
    before = (row("v.t", 60.5, other=True), row("unreadable", "text", 1), row("log", "info hot", 2))
    form.show_preview(Preview(after, before, 3, stored=390, topics=3))
    text = form.preview.summary.text()
    for part in ("3 of 390", "topics: 3", "rows by this rule: 1", "rows that go: 1", "cannot be read: 1"):
        assert part in text
    model = form.preview.after.records
    cells = [[model.index(at, column).data() for column in (2, 3, 4)] for at in range(3)]
    assert cells == [["temperature", "60.5", "Cel"], ["cannot be read", "no JSON and no number", ""], ["log record", "info hot", ""]]  # fmt: skip
    marks = [not model.index(at, 0).data(Qt.ItemDataRole.DecorationRole).isNull() for at in range(3)]
    assert marks == [True, True, False]
    form.show_preview(Preview(before[1:], before[1:], 2))
    assert "nothing is read otherwise" in form.preview.summary.text()
    form.show_preview(Preview((), (), 0))
    assert form.preview._after.currentWidget() is not form.preview.after


def test_places() -> None:
    assert places_of({"a": {"b": [1, {"c": None}]}}) == [Place(("a", "b", 0), 1), Place(("a", "b", 1, "c"), None)]
    assert [one.path for one in places_of({"v": {"t": 1, "u": 2}, "n": 3})] == [("v", "t"), ("v", "u"), ("n",)]
    assert places_of(5) == places_of(NOTHING) == []
    assert len(places_of(list(range(2_000)))) == MOST_PLACES


def test_the_menu_offers_all_of_it_or_says_why_not(qtbot: QtBot) -> None:
    menu = QMenu()
    qtbot.addWidget(menu)
    wanted: list[Lesson] = []
    add_teach_menu(menu, wanted.append, Lesson(topic=b"a/b"), "")
    entries = menu.actions()[0].menu().actions()
    for entry in entries:
        entry.trigger()
    assert [one.means for one in wanted] == [Meaning.NUMBER, Meaning.AGENT, Meaning.LOG, Meaning.STATUS, None, Meaning.IGNORE]  # fmt: skip
    assert {one.topic for one in wanted} == {b"a/b"}
    assert [one.same for one in wanted].index(True) == 4
    add_teach_menu(menu, wanted.append, Lesson(), "only looked at")
    assert not menu.actions()[1].isEnabled()
    assert "only looked at" in menu.actions()[1].text()


def test_the_list_asks_for_changes(desk: Desk, shown: Callable[..., RuleList], qtbot: QtBot) -> None:
    rules = shown(RuleList(desk.theme))
    other = rule_of({"topic": "b", "means": "ignore"})
    rules.show_rules(Rules((NUMBER, other), {"plug-2": "plug"}), [])
    cells = [[rules.table.records.index(at, column).data() for column in (0, 1)] for at in range(3)]
    assert cells == [["1", "plant/{agent}/out"], ["2", "b"], ["", "plug-2"]]
    told: list[tuple[object, ...]] = []
    rules.remove_requested.connect(lambda said: told.append(("remove", said)))
    rules.move_requested.connect(lambda said, down: told.append(("down" if down else "up", said)))
    rules.edit_requested.connect(lambda said: told.append(("edit", said)))
    buttons = (rules.edit, rules.up, rules.down, rules.remove, rules.undo)
    assert not any(button.isEnabled() for button in buttons)
    rules.table.selectAll()
    assert [button.isEnabled() for button in buttons] == [False, False, False, True, False]
    qtbot.keyClick(rules.table, Qt.Key.Key_Delete)
    assert told == [("remove", NUMBER), ("remove", other), ("remove", SameAgent("plug-2", "plug"))]
    rules.table.selectRow(1)
    assert [button.isEnabled() for button in buttons] == [True, True, False, True, False]
    qtbot.keyClick(rules, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    rules.down.click()
    rules.edit.click()
    assert told[3:] == [("up", other), ("edit", other)]
    rules.show_undo("Put “a” back")
    with qtbot.waitSignal(rules.undo_requested):
        qtbot.keyClick(rules, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
