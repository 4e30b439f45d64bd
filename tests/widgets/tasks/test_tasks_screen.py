"""The screen of tasks: what is listed, what can be done with a task, and the dialog that gives one."""

from dataclasses import dataclass, field

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from models.domain.problems import EnvironmentProblem, Problem
from models.domain.records import TaskState
from models.domain.task_queries import TaskItem, TasksRequest, TasksResult, TaskStoryRequest, TaskStoryResult
from models.domain.tasks.orders import Fan, Gather
from models.domain.tasks.work import Reason, Step
from tests.helpers.clock import FIRST_WALL_US as T0
from widgets.common.state_view import StateKind
from widgets.tasks.answer_dialog import AnswerDialog
from widgets.tasks.give_dialog import GiveDialog
from widgets.tasks.task_doings import can_cancel, can_retry
from widgets.tasks.task_statistics import figures_of
from widgets.tasks.tasks_screen import TasksScreen

S = 1_000_000


def item(task, state, agent="a", kind="fetch", **more):
    times = {"submitted_us": T0, "started_us": T0 + S, "ended_us": T0 + 3 * S if state.finished else 0}
    return TaskItem(task, kind, agent, "", "", state, given=True, **{**times, **more})


DONE = item("t1", TaskState.COMPLETED, result='{"n":1}')
FAILED = item("t2", TaskState.FAILED, "b", error="HTTP 503", reason=Reason.FAILED)
ASKS = item("t3", TaskState.INPUT_REQUIRED, result="may I?")
NOBODY = item("t4", TaskState.SUBMITTED, "", "paint", reason=Reason.NOBODY, started_us=0)
TOLD = item("t5", TaskState.WORKING, "c", "tidy")._replace(given=False)
ALL = (DONE, FAILED, ASKS, NOBODY, TOLD)


@dataclass
class Told:
    items: tuple = ALL
    whole: bool = True
    steps: tuple = ()
    parts: tuple = ()
    asked: list = field(default_factory=list)


@pytest.fixture
def told(desk):
    said = Told()

    def board(request):
        said.asked.append(request)
        return TasksResult(request, said.items, said.whole)

    def story(request):
        found = next((one for one in said.items if one.task == request.task), None)
        return TaskStoryResult(request, found, '{"url":"x"}', '{"n": 1}', "", said.steps, said.parts)

    desk.source.more[TasksRequest] = board
    desk.source.more[TaskStoryRequest] = story
    return said


@pytest.fixture
def screen(desk, shown, told):
    made = TasksScreen(desk.context, refresh_ms=0)
    made.resize(1_100, 700)
    return shown(made)


def listed(screen):
    return [one.task for one in screen.table.records.rows]


def choose(desk, screen, task):
    """Whatever keys another test left pressed."""
    selection = screen.table.selectionModel()
    flags = selection.SelectionFlag.ClearAndSelect | selection.SelectionFlag.Rows
    selection.select(screen.table.records.index(listed(screen).index(task), 0), flags)
    desk.source.answer_all()


def test_all_are_listed_and_counted_by_state(screen):
    assert listed(screen) == ["t1", "t2", "t3", "t4", "t5"]
    texts = [button.text() for button in screen.chips.buttons.values() if not button.isHidden()]
    assert texts == ["failed 1", "input required 1", "submitted 1", "working 1", "completed 1"]


def test_by_state_by_words_and_back(screen):
    screen.chips.buttons[TaskState.FAILED].click()
    assert listed(screen) == ["t2"]
    screen.chips.clear()
    screen.filter.setText("503 fetch")
    assert listed(screen) == ["t2"]
    screen.filter.setText("nothing of the kind")
    assert screen.stack.view.state.kind is StateKind.NO_MATCH
    screen.stack.view.state.on_action()
    assert len(listed(screen)) == 5


def test_it_says_which_types_nobody_serves_and_that_not_all_are_listed(desk, screen, told):
    assert screen.banner.text() == "No agent serves paint at present: 1 waiting."
    told.items, told.whole = ALL[:2], False
    screen.refresh()
    desk.source.answer_all()
    assert screen.banner.text() == "Only the newest 2 are listed."


def test_without_tasks_it_says_how_there_would_be_some(desk, screen, told, qtbot):
    told.items = ()
    screen.refresh()
    desk.source.answer_all()
    assert screen.stack.view.state.kind is StateKind.EMPTY
    with qtbot.waitSignal(screen.give_wanted):
        screen.stack.view.state.on_action()


@pytest.mark.parametrize(
    ("task", "buttons"), [("t1", ""), ("t2", "retry"), ("t3", "answer cancel"), ("t4", "cancel"), ("t5", "")]
)
def test_what_can_be_done_with_it(desk, screen, task, buttons):
    choose(desk, screen, task)
    pane = screen.pane
    shown = [name for name in ("answer", "retry", "cancel") if not getattr(pane, name).isHidden()]
    assert shown == buttons.split()


def test_one_in_full(desk, screen, told, qtbot):
    told.steps = (
        Step("t1", T0, 1, "a", TaskState.SUBMITTED, Reason.NONE),
        Step("t1", T0, 1, "b", TaskState.FAILED, Reason.STRANGER, "x"),
    )
    told.parts = (FAILED,)
    choose(desk, screen, "t1")
    pane = screen.pane
    assert pane.title.text() == "fetch · a · completed · t1"
    assert pane.result.toPlainText() == '{\n  "n": 1\n}'
    assert pane.given.toPlainText() == '{\n  "url": "x"\n}'
    assert [one.reason for one in pane.history.records.rows] == [Reason.NONE, Reason.STRANGER]
    pane.history.selectAll()
    pane.history.copy()
    assert "does not count" in QGuiApplication.clipboard().text()
    with qtbot.waitSignal(pane.part_wanted):
        pane.parts.opened.emit(pane.parts.records.rows[0])
    desk.source.answer_all()
    assert pane.title.text().startswith("fetch · b · failed")
    assert pane.note.text() == "its agent failed · HTTP 503"


def test_what_it_is_follows_while_it_is_shown(desk, screen, told):
    choose(desk, screen, "t3")
    told.items = (ASKS._replace(state=TaskState.WORKING),)
    screen.refresh()
    desk.source.answer_all()
    assert screen.pane.answer.isHidden()


def test_hidden_it_asks_for_nothing(desk, screen, told):
    before = len(told.asked)
    screen.hide()
    desk.tail.page()
    screen.refresh()
    desk.source.answer_all()
    assert len(told.asked) == before
    screen.show()
    desk.source.answer_all()
    assert len(told.asked) == before + 1


def test_a_problem_is_told_in_place_of_the_list(desk, shown, told):
    desk.source.problem = Problem("store.io", {"path": "p", "detail": "d"})
    screen = shown(TasksScreen(desk.context))
    assert screen.stack.view.state.kind is StateKind.ERROR


def test_figures_by_type_and_agent():
    found = {(one.type, one.agent): one for one in figures_of((*ALL, DONE._replace(parts=2)), 60 * S)}
    assert set(found) == {("fetch", "a"), ("fetch", "b"), ("paint", ""), ("tidy", "c")}
    done = found["fetch", "a"]
    assert (done.tasks, done.open, done.finished, done.success, done.per_minute) == (2, 1, 1, 1.0, 1.0)
    assert (done.wait_us, done.run_us) == ((S, S, S), (2 * S, 2 * S, 2 * S))
    nobody = found["paint", ""]
    assert (nobody.success, nobody.wait_us, nobody.run_us) == (None, None, None)


class TestGiving:
    @pytest.fixture
    def given(self):
        return []

    @pytest.fixture
    def dialog(self, desk, qtbot, given):
        one = GiveDialog(
            lambda order, done: given.append((order, done)), ["a", "b"], ["fetch"], desk.clock, None, ["a"]
        )
        qtbot.addWidget(one)
        one.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        one.show()
        return one

    def test_what_stands_in_the_fields_is_given(self, dialog, given, desk):
        assert not dialog.give.isEnabled()
        dialog.type.setCurrentText("fetch")
        dialog.input.setPlainText('{"url": "x"}')
        dialog.to.setText("a, b,a")
        dialog.fan.setCurrentIndex(3)
        dialog.minutes.setValue(5)
        dialog.attempts.setValue(3)
        dialog.idempotent.setChecked(True)
        dialog.give.click()
        [(order, done)] = given
        assert (order.type, order.input, order.to) == ("fetch", '{"url": "x"}', ("a", "b"))
        assert (order.fan, order.gather, order.attempts, order.idempotent) == (Fan.EACH, Gather.MAJORITY, 3, True)
        assert order.deadline_us == desk.clock.wall_us() + 300 * S
        done(None)
        assert not dialog.isVisible()

    def test_what_cannot_be_given_is_said_and_nothing_typed_is_lost(self, dialog, given):
        dialog.type.setCurrentText("fetch")
        dialog.input.setPlainText("{")
        assert not dialog.give.isEnabled()
        dialog.input.setPlainText("[1]")
        dialog.give.click()
        first, done = given[0]
        done(Problem("recorder.absent"))
        assert dialog.isVisible()
        assert not dialog._wrong.isHidden()
        dialog.give.click()
        assert given[1][0].id == first.id  # the same task, should the first have come through after all
        assert dialog.input.toPlainText() == "[1]"

    def test_it_is_said_that_nobody_of_that_name_was_heard_of(self, dialog, qtbot):
        assert dialog.strangers.isHidden()
        dialog.to.setFocus()
        qtbot.keyClicks(dialog.to, ", c")
        assert dialog.strangers.isHidden(), "not while it is typed"
        qtbot.keyClick(dialog.to, Qt.Key.Key_Tab)
        assert "called c was" in dialog.strangers.text()
        assert not dialog.strangers.isHidden()

    def test_an_answer_that_cannot_be_told_stays_where_it_was_typed(self, qtbot):
        given = []
        one = AnswerDialog("may I?", lambda text, done: given.append((text, done)))
        qtbot.addWidget(one)
        one.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        one.show()
        qtbot.keyClicks(one.text, "you may")
        qtbot.keyClick(one.text, Qt.Key.Key_Tab)
        assert one.text.toPlainText() == "you may", "Tab goes on"
        one.save()
        one.save()
        [(text, done)] = given
        done(Problem("publish.not-connected"))
        assert (text, one.text.toPlainText()) == ("you may", "you may")
        assert one.isVisible()
        assert not one.wrong.isHidden()
        one.save()
        given[1][1](None)
        assert not one.isVisible()


class TestAtAMoment:
    def test_one_that_was_given_later_is_looked_at_no_more(self, desk, screen, told):
        choose(desk, screen, "t1")
        assert screen.pane.isVisible()
        told.items = (FAILED,)
        desk.cursor.pin(T0)
        desk.source.answer_all()
        assert not screen.pane.isVisible()
        assert screen.item is None

    def test_it_asks_how_they_stood_then_and_nothing_can_be_done(self, desk, screen, told):
        told.items = (ASKS._replace(state=TaskState.WORKING),)
        told.steps = (
            Step("t3", T0, 1, "a", TaskState.WORKING, Reason.NONE),
            Step("t3", desk.now, 1, "a", TaskState.INPUT_REQUIRED, Reason.NONE),
        )
        at_us = T0 + S
        desk.clock.advance(9 * S)
        desk.cursor.pin(at_us)
        desk.source.answer_all()
        asked = told.asked[-1]
        assert (asked.at_us, asked.until_us - asked.since_us) == (at_us, desk.range.current().span_us + 1)
        told.items = (ASKS,)  # as it is by now
        choose(desk, screen, "t3")
        pane = screen.pane
        assert "working" in pane.title.text()
        assert pane.result.toPlainText() == ""
        assert [one.time_us for one in pane.history.records.rows] == [T0, T0]
        assert pane.answer.isHidden()
        assert pane.cancel.isHidden()
        assert screen.to_do(lambda _: True) == []
        before = len(told.asked)
        desk.tail.page()
        assert len(told.asked) == before
        desk.cursor.pin(None)
        desk.source.answer_all()
        assert told.asked[-1].at_us == 0


class TestSeveral:
    def test_what_can_be_done_with_those_that_are_selected(self, desk, screen):
        choose(desk, screen, "t2")
        assert screen.to_do(can_retry) == ["t2"]
        screen.table.selectAll()
        assert screen.to_do(can_retry) == ["t2"]
        assert screen.to_do(can_cancel) == ["t3", "t4"]  # what is only reported is not ours

    def test_they_are_asked_for_once_that_is_confirmed(self, desk, qapp, qtbot):
        from app.window.screen_place import ScreenPlace
        from app.window.tasks_place import TasksPlace
        from widgets.common.actions import ActionRegistry
        from widgets.common.state_view import loading
        from widgets.frame.main_window import MainWindow

        asked, cancelled, yes = [], [], []

        class Link:
            def about_tasks(self, job, done):
                job(self)
                done(None)

            def cancel_task(self, task):
                if task == "t9":
                    raise EnvironmentProblem(Problem("task.ended", {"task": task}))
                cancelled.append(task)

        class Asking:
            def confirm(self, *texts):
                asked.append(texts)
                return bool(yes)

        window = MainWindow(desk.theme, ActionRegistry(desk.theme), desk.clock)
        qtbot.addWidget(window)
        place = TasksPlace(
            window,
            ScreenPlace(desk.theme, loading()),
            lambda: desk.context,
            Link(),
            None,
            desk.clock,
            "",
            print,
            Asking(),
        )
        place.cancel(["t1", "t2"])
        assert asked[0][2] == "Cancel 2 tasks"
        assert cancelled == []
        yes.append(1)
        place.cancel(["t1", "t9", "t2"])
        assert cancelled == ["t1", "t2"]
        assert window.notices._sentence.text().startswith(
            "2 tasks were cancelled, or their agents asked to stop. Refused for 1: "
        )
