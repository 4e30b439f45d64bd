"""Why something is there, asked in the window on a real workspace: the same as `murmurscope why` says."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.cli.main import run
from app.cli.parser import build_parser
from app.rules_file import RulesFile
from app.window.composition import Composition, WindowOptions
from app.window.places import FLEET, LOGS, MESSAGES
from app.window.recorder_watch import RecorderWatch, Seen
from models.domain.clock import Instant
from models.domain.presence import PresenceKeeper
from models.domain.queries import LogRequest, MessageRequest
from models.domain.rules import Meaning, rule_of
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from mqtt.reading.reader import Reader
from tests.helpers.clock import FIRST_WALL_US, FakeClock
from tests.helpers.store import message
from widgets.agent.series_picker import SeriesPicker
from widgets.common.words import cause_sentence
from widgets.why.subject import OfAgent
from widgets.why.why_window import WhyWindow

RULE = {
    "topic": "plant/{agent}/out",
    "means": "number",
    "path": "v",
    "metric": "speed",
    "unit": "rpm",
    "agent": "{agent}",
}
CONFIG = (
    b'{"state_topic":"z/d1","unit_of_measurement":"\\u00b0C","value_template":"{{ value_json.t }}","name":"Heat",'
    b'"unique_id":"d1_t","device":{"identifiers":["d1"]}}'
)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """What a convention, a shape and a rule made; a log record; and what cannot be read."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(RecorderWatch, "look", lambda _: Seen(None, None, 0.01))
    one, clock = Workspace.at(tmp_path / "w"), FakeClock()
    RulesFile(one.rules).add(rule_of(RULE))
    writer, keeper = StoreWriter(one, clock), PresenceKeeper()
    writer.begin_capture("mqtt://h:1883", "me")
    keeper.link_up(Instant.now(clock))
    reader = Reader(writer.names, "agents", clock, RulesFile(one.rules).load().rules)
    said = [
        (b"homeassistant/sensor/d1/t/config", CONFIG), (b"z/d1", b'{"t":21}'), (b"plant/mixer-1/out", b'{"v":900,"w":2}'),
        (b"agents/crawler-1/status", b'{"state":"online"}'), (b"agents/crawler-1/log", b'{"level":"warn","message":"slow"}'),
        (b"agents/crawler-1/metrics", b'{"metrics":{"queue.depth":4}}'), (b"odd/thing-1/blob", b"\xff\xfe\x00\x01"),
    ]  # fmt: skip
    batch = reader.read([message(FIRST_WALL_US + n, topic, payload) for n, (topic, payload) in enumerate(said)])
    batch.presence = keeper.observe(batch, Instant.now(clock))
    writer.commit(batch)
    writer.housekeep()
    writer.close()
    return one


@pytest.fixture
def window(qapp: QApplication, workspace: Workspace, qtbot: QtBot) -> Iterator[Composition]:
    one = Composition(qapp, workspace, WindowOptions(theme="light", live=False))
    one.window.resize(1_200, 700)
    one.window.show()
    one.fill()
    qtbot.waitUntil(lambda: one.screens is not None and one.screens.fleet.fleet is not None)
    yield one
    one.close()
    one.window.close()
    one.window.deleteLater()


def answered(window: Composition, qtbot: QtBot) -> WhyWindow:
    qtbot.waitUntil(lambda: window.why.shown is not None and window.why.shown._why is not None, timeout=10_000)
    return window.why.shown


def asked(window: Composition, qtbot: QtBot, subject: object) -> WhyWindow:
    window.screens.why_requested.emit(subject)
    return answered(window, qtbot)


def newest(window: Composition, qtbot: QtBot, request: MessageRequest | LogRequest) -> object:
    got: list = []
    window.source.ask(request, got.append)
    qtbot.waitUntil(lambda: bool(got))
    return got[0].rows[0]


def cells(table: object) -> list[list[str]]:
    model = table.records
    return [[str(model.index(row, at).data()) for at in range(model.columnCount())] for row in range(model.rowCount())]


def test_an_agent_as_the_command_says_it(
    window: Composition, qtbot: QtBot, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = asked(window, qtbot, OfAgent("crawler-1"))
    assert run(build_parser().parse_args(["why", "crawler-1", "--json", "--workspace", str(workspace.root)])) == 0
    said = json.loads(capsys.readouterr().out)
    assert [one[0] for one in cells(shown.series)] == [one["metric"] for one in said["series"]] == ["queue.depth"]
    assert [one[4] for one in cells(shown.series)] == [", ".join(one["topics"]) for one in said["series"]]
    assert [one[0] for one in cells(shown.topics)] == [one["topic"] for one in said["topics"]]
    assert shown.title.text() == "crawler-1"
    assert said["cause"] == "status"
    assert "online (" in shown.text.text()
    assert cause_sentence("status") in shown.text.text()
    assert shown.teach.isHidden(), "a convention tells all of it"


def test_a_series_that_a_rule_made_tells_the_rule_and_its_unit(window: Composition, qtbot: QtBot) -> None:
    shown = asked(window, qtbot, OfAgent("mixer-1", "speed"))
    assert shown.title.text() == "speed of mixer-1"
    ((name, unit, kind, by, topics),) = cells(shown.series)
    assert (name, kind, by, topics) == ("speed", "gauge", "your rule 1", "plant/mixer-1/out")
    assert unit in shown.text.text()
    assert "Rule 1: plant/{agent}/out means number, agent {agent}, path v, metric speed, unit rpm" in shown.text.text()
    assert not shown.teach.isHidden()
    shown.open_rules.click()
    assert window.rules.list.list.isVisible()


def test_a_series_that_was_declared_or_found_by_its_shape(window: Composition, qtbot: QtBot) -> None:
    shown = asked(window, qtbot, OfAgent("mixer-1", "w"))
    assert cells(shown.series)[0][3] == "home-made, by its shape"
    shown = asked(window, qtbot, OfAgent("d1"))
    assert [row[3] for row in cells(shown.series)] == ["Home Assistant"]
    assert "It speaks Home Assistant." in shown.text.text()
    shown = asked(window, qtbot, newest(window, qtbot, MessageRequest(topic=b"z/d1", limit=1)))
    ((agent, _, value, unit, by),) = cells(shown.rows)
    assert (agent, value, unit, by) == ("d1", "21", "Cel", "Home Assistant")
    assert "which is read by: what was declared of it" in shown.text.text()


def test_a_log_record(window: Composition, qtbot: QtBot) -> None:
    shown = asked(window, qtbot, newest(window, qtbot, LogRequest(limit=1)))
    assert cells(shown.rows) == [["crawler-1", "log record", "warn slow", "", "our own contract"]]
    assert "agents/crawler-1/log" in shown.text.text()


def test_a_message_by_a_rule_and_the_rest_by_its_shape(window: Composition, qtbot: QtBot) -> None:
    shown = asked(window, qtbot, newest(window, qtbot, MessageRequest(topic=b"plant/mixer-1/out", limit=1)))
    assert {row[1]: row[4] for row in cells(shown.rows)} == {"speed": "your rule 1", "w": "home-made, by its shape"}
    shown.copy.click()
    assert "mixer-1\tspeed\t" in QGuiApplication.clipboard().text()
    shown._lessons.aboutToShow.emit()
    with qtbot.waitSignal(shown.teach_wanted) as taught:
        shown._lessons.actions()[0].trigger()
    assert (taught.args[0].means, taught.args[0].line.topic) == (Meaning.NUMBER, b"plant/mixer-1/out")


def test_a_message_that_cannot_be_read_or_is_ignored(window: Composition, qtbot: QtBot, workspace: Workspace) -> None:
    blob = newest(window, qtbot, MessageRequest(topic=b"odd/thing-1/blob", limit=1))
    shown = asked(window, qtbot, blob)
    assert [row[1] for row in cells(shown.rows)] == ["cannot be read"]
    assert not shown.teach.isHidden()
    RulesFile(workspace.rules).add(rule_of({"topic": "odd/#", "means": "ignore"}))
    shown = asked(window, qtbot, blob)
    assert cells(shown.rows) == []
    assert "A rule of yours says that nothing is read of it." in shown.text.text()
    assert "Rule 1: odd/# means ignore" in shown.text.text()


def test_a_topic_opens_its_messages(window: Composition, qtbot: QtBot) -> None:
    shown = asked(window, qtbot, OfAgent("d1"))
    shown.topics.selectRow(0)
    shown.show_topic.click()
    assert window.window.shown_screen == MESSAGES
    qtbot.waitUntil(lambda: window.screens.messages.topic_at_hand == b"z/d1")


def test_the_shortcut_asks_about_what_is_at_hand(window: Composition, qtbot: QtBot) -> None:
    why, screens = window._actions["view.why"], window.screens
    window.window.show_screen(FLEET)
    screens.fleet.table.clearSelection()
    why.trigger()
    assert "why" in window.window.notices.keys()  # noqa: SIM118 - a method
    qtbot.waitUntil(lambda: screens.fleet.model.rowCount() > 0)
    screens.fleet.table.selectRow(0)
    why.trigger()
    name = screens.targets()[0].id
    assert answered(window, qtbot).title.text() == name
    window.window.show_screen(LOGS)
    qtbot.waitUntil(lambda: screens.logs.rows.model.rowCount() > 0)
    screens.logs.rows.table.selectRow(0)
    why.trigger()
    qtbot.waitUntil(lambda: window.why.shown.title.text().startswith("Log record of "))
    answered(window, qtbot)
    screens.open_agent(screens.fleet.fleet.agent.tolist()[screens.fleet.fleet.id.index("crawler-1")])
    qtbot.waitUntil(lambda: screens.agent.facts.result is not None)
    why.trigger()
    assert answered(window, qtbot).title.text() == "crawler-1"


def test_the_menus_of_a_plot_a_picker_and_a_record_offer_it(window: Composition, qtbot: QtBot) -> None:
    screens = window.screens
    screens.open_agent(screens.fleet.fleet.agent.tolist()[screens.fleet.fleet.id.index("mixer-1")])
    agent = screens.agent
    qtbot.waitUntil(lambda: agent.facts.result is not None and bool(agent.facts.result.series))
    (speed,) = (one.id for one in agent.facts.result.series if one.key.metric == "speed")
    agent.plots.show_extra([speed])
    menu = QMenu()
    agent.plots.extra[0].menu_wanted.emit(menu)
    assert [action.text() for action in menu.actions()][-2:] == ["Open in Explore", "Why? (speed)"]
    menu.actions()[-1].trigger()
    assert answered(window, qtbot).title.text() == "speed of mixer-1"
    agent.pick_series()
    (picker,) = agent.findChildren(SeriesPicker)
    picker.list.setCurrentRow(1)
    assert picker.why.isEnabled()
    picker.why.click()
    qtbot.waitUntil(lambda: window.why.shown.title.text() == "w of mixer-1")
    answered(window, qtbot)
    menu.clear()
    window.window.show_screen(LOGS)
    screens.logs.rows.menu_wanted.emit(menu, newest(window, qtbot, LogRequest(limit=1)))
    assert menu.actions()[-1].text() == "Why?"


def test_who_is_not_there_any_more(window: Composition, qtbot: QtBot) -> None:
    window.screens.why_requested.emit(OfAgent("nobody"))
    qtbot.waitUntil(lambda: "nobody" in window.why.shown._stack.view.state.sentence)
    assert not window.why.shown.copy.isEnabled()
