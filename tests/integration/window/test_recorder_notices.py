from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QObject, Signal

from app.window.recorder_notices import RecorderNotices
from models.domain.control import Link, RecorderState
from models.domain.problems import Problem

STATE = RecorderState(7, "0.1.0", 1, "window", 0, Link.CONNECTED, 0, "mqtt://h:1883")
REFUSED = {"code": "broker.credentials", "params": {"host": "h", "user": "me"}, "retry_at_us": None}


class FakeLink(QObject):
    problem = Signal(object)
    state_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def start_again(self) -> None:
        self.asked.append("start again")

    def restart(self) -> None:
        self.asked.append("restart")

    def wake(self) -> None:
        self.asked.append("wake")

    def start_anew(self) -> None:
        self.asked.append("anew")

    def end_silent(self) -> None:
        self.asked.append("end")


class Bar:
    def __init__(self) -> None:
        self.shown: dict[str, tuple[str, str, Callable[[], object] | None]] = {}
        self.calls = 0

    def show_notice(self, notice) -> None:
        self.calls += 1
        self.shown[notice.key] = (notice.sentence, notice.action, notice.on_action)

    def show_problem(self, problem: Problem, action="", on_action=None, key="") -> None:
        self.calls += 1
        self.shown[key] = (problem.code, action, on_action)

    def clear(self, key: str) -> None:
        self.shown.pop(key, None)


@pytest.fixture
def link(qapp: object) -> FakeLink:
    return FakeLink()


@pytest.fixture
def bar(link: FakeLink) -> Bar:
    bar = Bar()
    bar.owner = RecorderNotices(bar, link, lambda: link.asked.append("connect"))
    return bar


@pytest.mark.parametrize(
    ("problem", "action", "asked"),
    [
        (Problem("recorder.failing", {"detail": "x"}), "Start again", "start again"),
        (Problem("recorder.version", {"found": "9"}), "Restart the recorder", "restart"),
        (Problem("recorder.silent", {"pid": 9, "seconds": 10}), "End process 9", "end"),
    ],
)
def test_troubles_of_the_recorder_have_one_way_out(bar, link, problem: Problem, action: str, asked: str) -> None:
    link.problem.emit(problem)
    code, text, act = bar.shown["recorder"]
    assert (code, text) == (problem.code, action)
    act()
    assert link.asked == [asked]
    link.problem.emit(None)
    assert "recorder" not in bar.shown


def test_a_recorder_silent_for_some_seconds_is_not_offered_to_be_ended(bar, link) -> None:
    link.problem.emit(Problem("recorder.silent", {"pid": 9, "seconds": 3}))
    assert bar.shown["recorder"][1:] == ("", None)


def test_a_refused_connection_offers_to_change_it_and_is_not_told_again_every_second(bar, link) -> None:
    refused = replace(STATE, link=Link.REFUSED, problem=REFUSED)
    link.state_changed.emit(refused)
    code, text, act = bar.shown["broker"]
    assert (code, text) == ("broker.credentials", "Change connection…")
    act()
    assert link.asked == ["connect"]
    bar.clear("broker")  # the user closes it
    link.state_changed.emit(replace(refused, problem={**REFUSED, "retry_at_us": 5}))
    assert "broker" not in bar.shown
    link.state_changed.emit(STATE)
    link.state_changed.emit(refused)
    assert "broker" in bar.shown


def test_a_kept_session_that_nobody_can_read_is_offered_to_be_thrown_away(bar, link) -> None:
    malformed = {"code": "broker.malformed", "params": {"host": "h"}, "retry_at_us": 5}
    link.state_changed.emit(replace(STATE, link=Link.REFUSED, problem=malformed))
    code, text, act = bar.shown["broker"]
    assert (code, text) == ("broker.malformed", "Start a new session")
    act()
    assert link.asked == ["anew"]


@pytest.mark.parametrize("code", ["broker.taken-over", "broker.cut-off"])
def test_whoever_was_given_way_to_may_be_gone(bar, link, code: str) -> None:
    told = {"code": code, "params": {"host": "h"}, "retry_at_us": 5}
    link.state_changed.emit(replace(STATE, link=Link.REFUSED, problem=told))
    assert bar.shown["broker"][:2] == (code, "Connect now")
    bar.shown["broker"][2]()
    assert link.asked == ["wake"]


def test_notices_go_when_nobody_answers_any_more(bar, link) -> None:
    warning = {"code": "broker.insecure", "params": {"host": "h"}, "retry_at_us": None}
    link.state_changed.emit(replace(STATE, warnings=(warning,), problem=REFUSED))
    assert set(bar.shown) == {"broker", "warning:broker.insecure:0"}
    link.state_changed.emit(None)
    assert bar.shown == {}


def test_several_damaged_files_are_told_each_and_once(bar, link) -> None:
    damaged = [{"code": "store.corrupt", "params": {"path": path, "detail": "x"}} for path in ("1.db", "2.db")]
    state = replace(STATE, warnings=tuple(damaged))
    link.state_changed.emit(state)
    link.state_changed.emit(state)
    assert [key for key in bar.shown if key.startswith("warning")] == [
        "warning:store.corrupt:0",
        "warning:store.corrupt:1",
    ]
    assert bar.calls == 2


def test_a_demo_says_that_its_fleet_is_simulated(link) -> None:
    bar = Bar()
    notices = RecorderNotices(bar, link, lambda: None, demo=True)
    notices.show_state(replace(STATE, embedded=True))
    assert bar.shown["first-run"][0] == "This fleet is simulated."


def test_the_first_start_says_what_is_shown_and_how_to_connect(bar, link) -> None:
    own = replace(STATE, embedded=True)
    link.state_changed.emit(replace(own, link=Link.CONNECTING))
    assert bar.shown == {}
    link.state_changed.emit(own)
    assert bar.shown["first-run"][0] == "This is your own computer, live."
    bar.shown["first-run"][2]()
    assert link.asked == ["connect"]
    link.state_changed.emit(STATE)
    link.state_changed.emit(own)
    assert bar.shown == {}  # said once
