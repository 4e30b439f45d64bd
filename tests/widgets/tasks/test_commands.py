"""Telling agents to do something: the dialog that arms and confirms it, asking in turn, and the list of what was given."""

from itertools import count

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.window.agent_telling import AgentTelling
from app.window.in_turn import CHUNK, InTurn, outcome_text
from models.domain.control import Link, RecorderState
from models.domain.problems import EnvironmentProblem, Problem
from models.domain.queries import CommandsRequest, CommandsResult
from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.work import Sending
from tests.helpers.clock import FIRST_WALL_US as T0
from widgets.common.actions import ActionRegistry
from widgets.common.state_view import StateKind
from widgets.common.words import problem_text
from widgets.frame.main_window import MainWindow
from widgets.tasks.command_dialog import ARMED_S, CommandDialog
from widgets.tasks.command_list import CommandList, command_note

S = 1_000_000


class TestDialog:
    @pytest.fixture
    def given(self):
        return []

    @pytest.fixture
    def dialog(self, clock, qtbot, given):
        def make(agents, command):
            one = CommandDialog(lambda *what: given.append(what), agents, command, clock)
            qtbot.addWidget(one)
            one.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
            one.show()
            return one

        return make

    def test_what_is_harmless_is_given_at_once(self, dialog, given):
        one = dialog(["a"], "ping")
        assert not one.confirmation.isVisible()
        one.give.click()
        assert given == [("ping", "null")]
        assert not one.isVisible()

    @pytest.mark.parametrize("command", ["pause", "resume", "of-its-own"])
    def test_enter_in_the_field_gives_what_stands_there_and_nothing_else(self, dialog, given, qtbot, command):
        one = dialog(["a", "b"], command)
        if command == "of-its-own":
            one.confirmation.setText(one.wanted)
        for _ in range(2):  # the field takes the first
            if one.isVisible():
                qtbot.keyClick(one.command.lineEdit(), Qt.Key.Key_Return)
        assert given == [(command, "null")]

    @pytest.mark.parametrize(("agents", "words"), [(["a-1"], "a-1"), (["a-1", "a-2", "a-3"], "restart 3")])
    def test_what_is_not_is_confirmed_by_typing(self, dialog, given, agents, words):
        one = dialog(agents, "restart")
        assert not one.give.isEnabled()
        one.confirmation.setText(words[:-1])
        assert not one.give.isEnabled()
        one.confirmation.setText(words)
        one.arguments.setPlainText('{"after_s": 1}')
        one.give.click()
        assert given == [("restart", '{"after_s": 1}')]

    def test_one_of_the_users_own_is_not_taken_for_harmless(self, dialog):
        one = dialog(["a"], "")
        assert not one.give.isEnabled()
        one.command.setCurrentText("ping them all")
        assert one.wanted == "a"
        one.command.setCurrentText("ping")
        assert one.wanted == ""

    def test_arguments_that_are_no_json_are_not_given(self, dialog, given):
        one = dialog(["a"], "ping")
        one.arguments.setPlainText("{")
        assert not one.give.isEnabled()
        one._accept()
        assert not given

    def test_after_a_while_it_is_armed_anew_and_confirmed_again(self, dialog, given, clock):
        one = dialog(["a"], "restart")
        one.confirmation.setText("a")
        assert one.give.isEnabled()
        assert one.arm.isHidden()
        clock.advance(ARMED_S * S)
        one.give.click()  # before the timer noticed
        assert not given
        assert not one.give.isEnabled()
        assert one.confirmation.text() == ""
        one.arm.click()
        assert not one.give.isEnabled()
        one.confirmation.setText("a")
        one.give.click()
        assert given == [("restart", "null")]


class FakeLink:
    """Carries every job out at once; `troubles` by name."""

    def __init__(self, troubles):
        self.troubles, self.asked, self.jobs = troubles, [], 0

    def about_tasks(self, job, done):
        self.jobs += 1
        job(self)
        done(None)

    def take(self, name):
        self.asked.append(name)
        if name in self.troubles:
            raise EnvironmentProblem(Problem(self.troubles[name], {"task": name}))


class TestInTurn:
    @pytest.fixture
    def run(self, qtbot):
        window = QWidget()
        qtbot.addWidget(window)

        def ask(names, troubles=None, stop_after=0):
            link, told, calls = FakeLink(troubles or {}), [], count(1)

            def take(client, name):
                client.take(name)
                if next(calls) == stop_after:
                    turn._progress.cancel()

            turn = InTurn(link, window, take, told.append)
            turn.start(names, "Cancelling…")
            [outcome] = told
            return link, outcome

        return ask

    def test_all_of_them_in_order_some_at_a_time(self, run):
        names = [f"t{i}" for i in range(2 * CHUNK + 1)]
        link, outcome = run(names)
        assert link.asked == outcome.done == names
        assert link.jobs == 3

    def test_one_that_is_refused_does_not_keep_the_others(self, run):
        _, outcome = run(["a", "b", "c"], {"b": "task.ended"})
        assert outcome.done == ["a", "c"]
        assert outcome.refused["b"].code == "task.ended"
        sentence, _ = outcome_text("Done.", outcome)
        assert sentence.startswith("Done. Refused for 1: ")

    def test_nobody_asks_on_when_the_recorder_is_away(self, run):
        link, outcome = run([f"t{i}" for i in range(50)], {"t1": "recorder.absent"})
        assert link.asked == ["t0", "t1"]
        assert (len(outcome.done), len(outcome.refused), len(outcome.left)) == (1, 1, 48)

    def test_it_stops_where_somebody_says_so(self, run):
        _, outcome = run([f"t{i}" for i in range(50)], stop_after=3)
        assert len(outcome.done) == CHUNK  # what was under way is asked for
        assert len(outcome.left) == 30
        assert outcome_text("Done.", outcome)[0] == "Done. 30 were not asked for any more."


class TestList:
    @pytest.fixture
    def items(self, desk):
        items = [
            AgentCommand("c2", "b", "restart", '{"after_s": 1}', T0, Sending.ACKNOWLEDGED, "rejected", T0 + S, '"no"'),
            AgentCommand("c1", "a", "ping", "null", T0 - S, Sending.ACKNOWLEDGED),
        ]
        desk.source.more[CommandsRequest] = lambda request: CommandsResult(request, tuple(items))
        return items

    def test_what_was_given_and_what_became_of_it(self, desk, shown, items):
        listed = shown(CommandList(desk.context, 0))
        listed.table.selectAll()
        text = listed.table.selection_as_text()
        first, second = text.splitlines()
        assert first.split("\t")[1:] == ["b", "restart", '{"after_s": 1}', "rejected", "1 s", '"no"']
        assert second.split("\t")[4] == "sent, waits for the answer"

    def test_it_follows_and_asks_nothing_while_it_is_hidden(self, desk, shown, items):
        listed = shown(CommandList(desk.context, 0))
        items.clear()
        listed.hide()
        desk.tail.page()
        desk.source.answer_all()
        assert len(listed.table.records.rows) == 2
        listed.show()
        desk.source.answer_all()
        assert listed.stack.view.state.kind is StateKind.EMPTY

    @pytest.mark.parametrize(
        ("sending", "later_s", "words"),
        [
            (Sending.SENDING, 0, "is being sent"),
            (Sending.UNKNOWN, 0, "nobody knows whether it was sent"),
            (Sending.ACKNOWLEDGED, 61, "no answer"),
        ],
    )
    def test_one_without_an_answer(self, sending, later_s, words):
        assert command_note(AgentCommand("c", "a", "ping", "null", T0, sending), T0 + later_s * S) == words


class TestTelling:
    @pytest.fixture
    def window(self, desk, qtbot):
        made = MainWindow(desk.theme, ActionRegistry(desk.theme), desk.clock)
        qtbot.addWidget(made)
        return made

    class Recorder(FakeLink):
        state = None

        def __init__(self):
            super().__init__({})
            self.told = []

        def command_agent(self, *told):
            self.told.append(told)
            return "id"

    @pytest.mark.parametrize(
        ("read_only", "state", "code"),
        [(True, None, "look.read-only"), (False, None, "publish.not-connected")],
    )
    def test_why_nobody_can_be_told(self, desk, window, read_only, state, code):
        link = self.Recorder()
        link.state = state
        telling = AgentTelling(link, desk.clock, window, print, read_only=read_only)
        telling.ask(["a"], "ping")
        assert telling.dialog is None
        assert window.notices._sentence.text() == problem_text(Problem(code))[0]

    def test_several_are_told_and_what_came_of_it_is_said(self, desk, window):
        link, shown = self.Recorder(), []
        link.state = RecorderState(1, "", 1, "cli", 0, Link.CONNECTED, 0, "")
        telling = AgentTelling(link, desk.clock, window, lambda: shown.append(1), read_only=False)
        telling.ask(["a", "b"], "restart")
        telling.dialog.confirmation.setText("restart 2")
        telling.dialog.give.click()
        assert link.told == [("a", "restart", "null", "a"), ("b", "restart", "null", "b")]
        assert window.notices._sentence.text() == "“restart” was given to 2 agents."
        window.notices._action.click()
        assert shown
