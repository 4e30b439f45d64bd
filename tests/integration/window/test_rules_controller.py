"""Teaching what messages mean, in a real workspace: from a message to a rule that a recorder would take up."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication

from app.rules_file import RulesFile
from app.window.data_source import HistorySource
from app.window.rules_controller import RulesController
from models.domain.clock import SystemClock
from models.domain.problems import Problem
from models.domain.queries import CancelToken, MessageLine, MessageRequest
from models.domain.rules import Meaning, Rule, SameAgent, rule_of
from models.storage.history.fleet import FleetHistory
from models.storage.history.reader import HistoryReader
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from mqtt.reading.reader import Reader
from tests.helpers.clock import FIRST_WALL_US, FakeClock
from tests.helpers.store import message
from widgets.common.actions import ActionRegistry
from widgets.common.theme import ThemeHolder
from widgets.frame.main_window import MainWindow
from widgets.messages.lesson import Lesson
from widgets.messages.rule_form import RuleForm


class Link(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.woken = 0

    def wake(self, done: Callable[[Problem | None], object]) -> None:
        self.woken += 1
        done(None)


@pytest.fixture
def workspace(tmp_path):
    one = Workspace.at(tmp_path / "workspace")
    clock = FakeClock()
    writer = StoreWriter(one, clock)
    writer.begin_capture("mqtt://h:1883", "me")
    reader = Reader(writer.names, "agents", clock)
    config = (
        b'{"state_topic":"z/d1","unit_of_measurement":"\\u00b0C","value_template":"{{ value_json.t }}","name":"Heat",'
        b'"unique_id":"d1_t","device":{"identifiers":["d1"]}}'
    )
    declared = message(FIRST_WALL_US - 2_000_000, b"homeassistant/sensor/d1/t/config", config)
    writer.commit(reader.read([declared, message(FIRST_WALL_US - 1_000_000, b"z/d1", b'{"t":21}')]))
    some = [
        message(FIRST_WALL_US + n, b"plant/mixer-%d/out" % (n % 3), b'{"v":{"t":%d},"speed":%d}' % (n, n))
        for n in range(30)
    ]
    writer.commit(reader.read(some))
    writer.housekeep()
    writer.close()
    return one


@pytest.fixture
def bench(qapp: QApplication, workspace):
    clock = SystemClock()
    themes = ThemeHolder(qapp, "light")
    window = MainWindow(themes, ActionRegistry(themes), clock)
    source = HistorySource(lambda: HistoryReader(workspace, clock, FleetHistory(clock)), clock)
    link = Link()
    controller = RulesController(link, source, workspace, clock, themes, window)
    yield SimpleNamespace(controller=controller, link=link, workspace=workspace, window=window)
    controller.shutdown()
    source.shutdown()


def newest(workspace: Workspace, topic: bytes) -> MessageLine:
    clock = SystemClock()
    reader = HistoryReader(workspace, clock, FleetHistory(clock))
    try:
        return next(iter(reader.answer(MessageRequest(topic=topic, limit=1), CancelToken()))).rows[0]
    finally:
        reader.close()


def opened(bench, qtbot, lesson: Lesson):
    bench.controller.teach(lesson)
    qtbot.waitUntil(lambda: bench.controller.form is not None and bench.controller.form.isVisible())
    form = bench.controller.form
    qtbot.waitUntil(lambda: form.said is not None)
    return form


def begun(bench, lesson: Lesson) -> Callable[[], RuleForm]:
    bench.controller.teach(lesson)
    return lambda: bench.controller.form


def test_this_number_is(bench, qtbot) -> None:
    line = newest(bench.workspace, b"plant/mixer-1/out")
    form = opened(bench, qtbot, Lesson(Meaning.NUMBER, line=line, path=("v", "t")))
    assert isinstance(form.said, Rule)
    assert (form.said.topic, form.said.path) == ("plant/{agent}/out", "v.t")
    form.fields.fields["metric"].line.setText("temperature")
    form.fields.fields["unit"].line.setText("°C")
    qtbot.waitUntil(lambda: any(row.what == "temperature" for row in form.preview.after.records.rows))
    assert {row.agent for row in form.preview.after.records.rows} == {"mixer-0", "mixer-1", "mixer-2"}
    form.save.click()
    qtbot.waitUntil(lambda: bench.link.woken == 1)
    (rule,) = RulesFile(bench.workspace.rules).load().rules.rules
    assert (rule.metric, rule.unit, rule.topic) == ("temperature", "°C", "plant/{agent}/out")
    qtbot.waitUntil(lambda: not form.isVisible())


def test_a_rule_that_makes_no_sense_is_told_and_cannot_be_kept(bench, qtbot) -> None:
    form = opened(bench, qtbot, Lesson(Meaning.NUMBER, line=newest(bench.workspace, b"plant/mixer-1/out")))
    form.fields.fields["topic"].line.setText("a/#/b")
    assert form.said is None
    assert not form.save.isEnabled()
    assert "#" in form.fields.fields["topic"].error.text()


def test_the_same_agent(bench, qtbot) -> None:
    line = newest(bench.workspace, b"plant/mixer-1/out")
    bench.controller.teach(Lesson(same=True, line=line))
    qtbot.waitUntil(
        lambda: bench.controller.form is not None and bench.controller.form.fields.fields["name"].text == "mixer-1"
    )
    form = bench.controller.form
    form.fields.fields["same"].line.setText("mixer-2")
    assert form.said == SameAgent("mixer-1", "mixer-2")
    form.save.click()
    qtbot.waitUntil(lambda: bench.link.woken == 1)
    assert RulesFile(bench.workspace.rules).load().rules.same == {"mixer-1": "mixer-2"}


def listed(bench, qtbot, count: int):
    bench.controller.list.open()
    rules = bench.controller.list.list
    qtbot.waitUntil(lambda: len(rules.table.records.rows) == count)
    return rules


def topics(bench) -> list[str]:
    return [one.topic for one in RulesFile(bench.workspace.rules).load().rules.rules]


def test_rules_are_removed_and_moved_and_all_of_it_undone(bench, qtbot) -> None:
    file = RulesFile(bench.workspace.rules)
    for topic in ("c", "b", "a"):
        file.add(rule_of({"topic": topic, "means": "ignore"}))
    before = bench.workspace.rules.read_text()
    rules = listed(bench, qtbot, 3)
    assert not rules.undo.isEnabled()
    rules.table.selectRow(0)
    assert (rules.up.isEnabled(), rules.down.isEnabled()) == (False, True)
    rules.down.click()
    qtbot.waitUntil(lambda: topics(bench) == ["b", "a", "c"] and rules.table.selected[0].number == 2)
    assert rules.up.isEnabled(), "it stays the one at hand"
    qtbot.keyClick(rules, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: len(rules.table.records.rows) == 2)
    assert topics(bench) == ["b", "c"]
    assert "Put “a” back" in rules.undo.toolTip()
    rules.undo.click()
    qtbot.waitUntil(lambda: topics(bench) == ["b", "a", "c"])
    qtbot.keyClick(rules, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bench.workspace.rules.read_text() == before)
    qtbot.waitUntil(lambda: not rules.undo.isEnabled() and bench.link.woken == 4)


def test_what_somebody_changed_meanwhile_is_told_and_left(bench, qtbot) -> None:
    file = RulesFile(bench.workspace.rules)
    for topic in ("b", "a"):
        file.add(rule_of({"topic": topic, "means": "ignore"}))
    rules = listed(bench, qtbot, 2)
    rules.table.selectRow(0)
    rules.remove.click()
    qtbot.waitUntil(rules.undo.isEnabled)
    bench.workspace.rules.write_text("# mine now\n")
    rules.undo.click()
    qtbot.waitUntil(lambda: "cannot be undone" in rules.notice.text())
    assert bench.workspace.rules.read_text() == "# mine now\n"
    assert not rules.undo.isEnabled()


def test_a_rule_is_edited_in_its_place_with_a_preview(bench, qtbot) -> None:
    file = RulesFile(bench.workspace.rules)
    said = {"topic": "plant/{agent}/out", "means": "number", "agent": "{agent}", "path": "speed", "metric": "pace"}
    file.add(rule_of(said))
    file.add(rule_of({"topic": "other", "means": "ignore"}))
    rules = listed(bench, qtbot, 2)
    rules.table.selectRow(1)
    rules.edit.click()
    form = bench.controller.form
    assert form.windowTitle() == "Edit a rule"
    assert form.said == rule_of(said)
    fields = form.fields.fields
    qtbot.waitUntil(lambda: fields["path"].box.count() == 2, timeout=10_000)
    assert fields["path"].text == "speed", "what the rule says stays"
    fields["metric"].line.setText("rpm")
    after, before = form.preview.after.records, form.preview.before.records
    qtbot.waitUntil(lambda: any(row.what == "rpm" for row in after.rows), timeout=10_000)
    assert not any(row.what == "pace" for row in after.rows)
    assert any(row.what == "pace" for row in before.rows)
    meaning = form.fields.meaning
    assert not meaning.model().item(meaning.findData("same")).isEnabled(), "a rule stays a rule"
    form.save.click()
    qtbot.waitUntil(lambda: bench.link.woken == 1)
    assert file.load().rules.rules == (
        rule_of({"topic": "other", "means": "ignore"}),
        rule_of({**said, "metric": "rpm"}),
    )
    qtbot.waitUntil(rules.undo.isEnabled)
    rules.undo.click()
    qtbot.waitUntil(lambda: file.load().rules.rules[1].metric == "pace")


def test_a_second_name_is_edited(bench, qtbot) -> None:
    RulesFile(bench.workspace.rules).add_same("mixer-1", "mixer-2")
    rules = listed(bench, qtbot, 1)
    rules.table.selectRow(0)
    assert not rules.down.isEnabled()
    rules.table.opened.emit(rules.table.selected[0])
    form = bench.controller.form
    assert form.said == SameAgent("mixer-1", "mixer-2")
    form.fields.fields["name"].line.setText("mixer-0")
    form.save.click()
    qtbot.waitUntil(lambda: bench.link.woken == 1)
    assert RulesFile(bench.workspace.rules).load().rules.same == {"mixer-0": "mixer-2"}


def test_a_rule_that_went_while_it_was_edited(bench, qtbot) -> None:
    RulesFile(bench.workspace.rules).add(rule_of({"topic": "plant/#", "means": "ignore"}))
    rules = listed(bench, qtbot, 1)
    rules.table.selectRow(0)
    rules.edit.click()
    bench.workspace.rules.write_text("")
    bench.controller.form.fields.fields["topic"].line.setText("plants/#")
    bench.controller.form.save.click()
    qtbot.waitUntil(bench.controller.form.notice.isVisible)
    assert "any more" in bench.controller.form.notice.text()
    assert bench.workspace.rules.read_text() == ""


def test_what_was_declared_long_before_is_known(bench, qtbot) -> None:
    form = opened(bench, qtbot, Lesson(Meaning.IGNORE, topic=b"z/d1"))
    qtbot.waitUntil(lambda: bool(form.preview.before.records.rows))
    (row,) = form.preview.before.records.rows
    assert (row.agent, row.value, row.unit, row.other) == ("d1", 21.0, "Cel", True)
    assert form.preview.after.records.rows == []


def test_messages_are_shown_while_no_agent_is_chosen_yet(bench, qtbot) -> None:
    form = begun(bench, Lesson(same=True, topic=b"plant/mixer-1/out"))
    qtbot.waitUntil(lambda: bench.controller.form is not None and len(form().preview.after.records.rows) == 20)
    assert form().said is None
    assert "nothing is read otherwise" in form().preview.summary.text()


def test_names_in_a_circle_are_refused(bench, qtbot) -> None:
    RulesFile(bench.workspace.rules).add_same("mixer-2", "mixer-1")
    form = begun(bench, Lesson(same=True, topic=b"plant/mixer-1/out"))
    qtbot.waitUntil(lambda: bench.controller.form is not None and form().fields.fields["name"].text == "mixer-1")
    form().fields.fields["same"].line.setText("mixer-2")
    form().save.click()
    qtbot.waitUntil(form().notice.isVisible)
    assert "each other" in form().notice.text()
    assert form().save.isEnabled()
    assert bench.link.woken == 0


def test_a_file_that_cannot_be_read_is_told_and_not_written_over(bench, qtbot) -> None:
    bench.workspace.rules.write_text("[[")
    form = opened(bench, qtbot, Lesson(Meaning.NUMBER, topic=b"plant/mixer-1/out"))
    qtbot.waitUntil(lambda: "cannot be read" in form.notice.text())
    form.save.click()
    qtbot.waitUntil(lambda: form.save.isEnabled() and bench.controller.idle)
    assert bench.workspace.rules.read_text() == "[["
