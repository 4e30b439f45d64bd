from types import SimpleNamespace

import pytest

from app.recorder.broker_choice import BrokerChoice, Own
from app.recorder.broker_link import BrokerLink
from app.recorder.embedded_broker import Access
from app.recorder.log_file import Faults
from app.recorder.supervisor import NETWORK, NETWORK_LIMIT_US, EndRules, Requests, Supervisor
from app.recorder.watch import Watch
from app.settings import Settings, SettingsFile
from models.domain.connection import Connection, Secret
from models.domain.control import Link
from models.domain.problems import Problem, trouble
from mqtt.session import LinkState

ONE, OTHER = Connection(host="one"), Connection(host="other")
PASSWORD, NEW_PASSWORD = Secret("a"), Secret("b")


@pytest.fixture
def file(tmp_path):
    return SettingsFile(tmp_path / "settings.toml")


class TestChoice:
    def test_first_start_runs_our_own(self, file):
        assert BrokerChoice(file, None, None).read() is Own.BROKER

    def test_saved_connection_is_taken(self, file):
        file.save(Settings(ONE, embedded=False))
        assert BrokerChoice(file, None, None).read() == ONE

    def test_given_wins_until_the_settings_change(self, file):
        file.save(Settings(ONE, embedded=False))
        choice = BrokerChoice(file, OTHER, None)
        assert choice.read() == OTHER
        assert choice.read() == OTHER
        file.save(Settings(ONE, embedded=True))
        assert choice.read() is Own.BROKER

    def test_given_is_remembered_where_none_was_saved(self, file):
        choice = BrokerChoice(file, OTHER, None)
        choice.read()
        choice.remember_given()
        assert file.load() == Settings(OTHER, embedded=False)
        assert choice.read() == OTHER

    def test_given_does_not_replace_what_was_saved(self, file):
        file.save(Settings(ONE, embedded=False))
        choice = BrokerChoice(file, OTHER, None)
        choice.read()
        choice.remember_given()
        assert file.load().connection == ONE

    def test_given_does_not_replace_what_was_saved_meanwhile(self, file):
        choice = BrokerChoice(file, OTHER, None)
        choice.read()
        file.save(Settings(ONE, embedded=False))
        choice.remember_given()
        assert file.load().connection == ONE
        assert choice.read() == ONE

    def test_an_unreadable_file_leaves_what_was_read_last(self, file, tmp_path):
        file.save(Settings(ONE, embedded=False))
        choice = BrokerChoice(file, None, None)
        choice.read()
        (tmp_path / "settings.toml").write_text("[")
        assert choice.read() == ONE
        assert choice.problem.code == "settings.unreadable"
        file_before = (tmp_path / "settings.toml").read_text()
        choice.remember_given()
        assert (tmp_path / "settings.toml").read_text() == file_before

    def test_an_unreadable_file_at_the_start_chooses_nothing(self, file, tmp_path):
        (tmp_path / "settings.toml").write_text("[")
        assert BrokerChoice(file, None, None).read() is None


class Session:
    def __init__(self, connection, secret, on_link, clock):
        self.connection, self.secret, self.on_link, self.heartbeat_us = (
            connection,
            secret,
            on_link,
            clock.monotonic_us(),
        )
        self.woken = 0
        self.alive = True

    def wake(self):
        self.woken += 1

    def use_secret(self, secret):
        self.secret = secret


class Broker:
    def __init__(self):
        self.error = None
        self.running = self.died = False
        self.pid = 1

    def start(self):
        if self.error:
            raise self.error
        self.running = True
        return self.access

    @property
    def access(self):
        return Access(Connection(host="127.0.0.1", port=5, user="own"), Secret("own"), None)

    def keep(self):
        died, self.died = self.died, False
        return died

    def stop(self):
        self.running = False


class Agent:
    def __init__(self):
        self.starts = 0
        self.running = False

    def start(self, _access, _pids):
        self.starts += 1
        self.running = True

    def keep(self):
        pass

    def stop(self):
        self.running = False


class Listener:
    def __init__(self):
        self.told = []

    def use(self, feed):
        self.told.append(("use", feed.broker))

    def leave(self):
        self.told.append("leave")

    def link_up(self, _at, *, session_lost):
        self.told.append("lost" if session_lost else "up")

    def link_down(self, _at):
        self.told.append("down")


class Setup:
    def __init__(self, file, clock, given=None, secret=None):
        self.file, self.clock = file, clock
        self.sessions, self.broker, self.agent, self.listener = [], Broker(), Agent(), Listener()
        self.choice = BrokerChoice(file, given, secret)
        self.asked, self.went_on = [], []
        self.link = BrokerLink(
            self.choice, self.make_feed, self.listener, self.broker, self.agent, clock, lambda: None,
            lambda connection, found: self.asked.append((connection, found)),
        )  # fmt: skip

    def make_feed(self, connection, secret, on_link, *, again):
        self.went_on.append(again)
        self.sessions.append(Session(connection, secret, on_link, self.clock))
        return SimpleNamespace(session=self.sessions[-1], broker=connection.url)

    def tell(self, link, session=-1, **fields):
        self.sessions[session].on_link(LinkState(link, self.clock.wall_us(), **fields))


NAMED = Connection(host="one", user="me")
LOCKED = Problem("keyring.refused", {"detail": "it is locked"})


class TestKeyring:
    def test_it_is_asked_before_the_first_try_where_a_user_has_no_password(self, file, clock):
        setup = Setup(file, clock, NAMED)
        setup.link.wake()
        assert setup.sessions == []
        assert setup.link.view.link is Link.CONNECTING
        setup.link.wake()
        ((connection, found),) = setup.asked
        found(PASSWORD, None)
        assert connection == NAMED
        assert [(one.connection, one.secret) for one in setup.sessions] == [(NAMED, PASSWORD)]
        assert setup.link.secret == PASSWORD

    def test_it_is_not_asked_for_nobody_nor_where_a_password_was_given(self, file, clock):
        for given, secret in ((ONE, None), (NAMED, PASSWORD), (None, None)):
            setup = Setup(file, clock, given, secret)
            setup.link.wake()
            assert setup.asked == []
            assert len(setup.sessions) == 1

    def test_a_password_that_is_given_meanwhile_wins(self, file, clock):
        setup = Setup(file, clock, NAMED)
        setup.link.wake()
        setup.link.give_secret(NEW_PASSWORD)
        setup.asked[0][1](PASSWORD, None)
        assert [one.secret for one in setup.sessions] == [NEW_PASSWORD]

    def test_an_answer_for_another_broker_comes_too_late(self, file, clock):
        setup = Setup(file, clock, NAMED)
        setup.link.wake()
        setup.file.save(Settings(OTHER, embedded=False))
        setup.link.wake()
        setup.asked[0][1](PASSWORD, None)
        assert [(one.connection, one.secret) for one in setup.sessions] == [(OTHER, None)]
        assert setup.link.secret is None

    def test_a_locked_one_is_told_once_the_broker_refuses_and_asked_again_by_hand(self, file, clock):
        setup = Setup(file, clock, NAMED)
        setup.link.wake()
        setup.asked[0][1](None, LOCKED)
        assert setup.link.view.warnings == ()
        setup.tell(Link.REFUSED, problem=Problem("broker.credentials"))
        view = setup.link.view
        assert [one.code for one in view.warnings] == ["keyring.unread"]
        assert "it is locked" in view.warnings[0].sentence()
        assert view.password_may_come
        setup.link.wake()
        setup.asked[1][1](PASSWORD, None)
        assert [one.secret for one in setup.sessions] == [None, PASSWORD]
        assert not setup.link.view.password_may_come

    def test_a_computer_without_one_ends_as_before(self, file, clock):
        setup = Setup(file, clock, NAMED)
        setup.link.wake()
        setup.asked[0][1](None, Problem("keyring.none", {"detail": "x"}))
        setup.tell(Link.REFUSED, problem=Problem("broker.credentials"))
        assert not setup.link.view.password_may_come


class TestLink:
    def test_ups_and_downs_are_told_once_each(self, file, clock):
        setup = Setup(file, clock, ONE)
        setup.link.wake()
        assert setup.link.view.link is Link.IDLE
        for link in (Link.CONNECTING, Link.CONNECTED, Link.WAITING, Link.CONNECTING):
            setup.tell(link)
        setup.tell(Link.CONNECTED, session_lost=True)
        assert setup.listener.told == [("use", ONE.url), "up", "down", "lost"]
        assert setup.link.view.link is Link.CONNECTED
        assert setup.link.view.ever_connected

    def test_waking_the_same_broker_only_tries_now(self, file, clock):
        setup = Setup(file, clock, ONE, PASSWORD)
        setup.link.wake()
        setup.link.wake()
        assert [(one.secret, one.woken) for one in setup.sessions] == [(PASSWORD, 1)]

    def test_a_new_password_goes_to_the_session_that_is_there(self, file, clock):
        setup = Setup(file, clock, ONE, PASSWORD)
        setup.link.wake()
        setup.link.give_secret(NEW_PASSWORD)
        assert [(one.secret, one.woken) for one in setup.sessions] == [(NEW_PASSWORD, 1)]

    def test_a_password_never_reaches_another_broker(self, file, clock):
        setup = Setup(file, clock, ONE, PASSWORD)
        setup.link.wake()
        setup.file.save(Settings(OTHER, embedded=False))
        setup.link.wake()
        assert [(one.connection, one.secret) for one in setup.sessions] == [(ONE, PASSWORD), (OTHER, None)]

    def test_settings_then_password_opens_the_other_broker_with_it(self, file, clock):
        setup = Setup(file, clock, ONE, PASSWORD)
        setup.link.wake()
        setup.tell(Link.CONNECTED)
        setup.file.save(Settings(OTHER, embedded=False))
        setup.link.give_secret(NEW_PASSWORD)
        setup.link.wake()
        assert [(one.connection, one.secret) for one in setup.sessions] == [(ONE, PASSWORD), (OTHER, NEW_PASSWORD)]
        assert setup.listener.told[-2:] == ["down", ("use", OTHER.url)]

    def test_a_replaced_session_has_no_say(self, file, clock):
        setup = Setup(file, clock, ONE)
        setup.link.wake()
        setup.file.save(Settings(OTHER, embedded=False))
        setup.link.wake()
        setup.tell(Link.CONNECTED, session=0)
        assert setup.link.view.link is Link.IDLE
        assert setup.listener.told == [("use", ONE.url), ("use", OTHER.url)]

    def test_our_own_broker_has_its_own_password_and_shows_this_computer(self, file, clock):
        setup = Setup(file, clock, secret=PASSWORD)
        setup.link.wake()
        assert setup.sessions[0].secret == Secret("own")
        assert setup.link.view.embedded
        assert setup.agent.starts == 1
        setup.broker.died = True
        setup.link.look()
        assert setup.agent.starts == 2
        setup.file.save(Settings(OTHER, embedded=False))
        setup.link.wake()
        assert not setup.broker.running
        assert not setup.agent.running
        assert not setup.link.view.embedded

    def test_our_own_broker_that_does_not_start_is_told_and_tried_again(self, file, clock):
        setup = Setup(file, clock)
        setup.broker.error = trouble("embedded.start", detail="x")
        setup.link.wake()
        assert setup.link.view.problem.code == "embedded.start"
        assert setup.link.view.broker_url == ""
        setup.broker.error = None
        setup.link.wake()
        assert setup.link.view.problem is None
        assert len(setup.sessions) == 1

    def test_a_child_that_cannot_be_started_again_does_not_end_the_recorder(self, file, clock, caplog):
        setup = Setup(file, clock)
        setup.link.wake()

        def keep():
            raise OSError(24, "Too many open files")

        setup.agent.keep = keep
        setup.link.look()
        assert "Too many open files" in caplog.text

    def test_given_is_remembered_once_it_worked(self, file, clock):
        setup = Setup(file, clock, ONE)
        setup.link.wake()
        setup.link.look()
        assert file.load().connection is None
        setup.tell(Link.CONNECTED)
        setup.link.look()
        assert file.load().connection == ONE

    def test_a_network_thread_without_turns_is_noticed_but_may_look_up_a_name(self, file, clock):
        setup = Setup(file, clock, ONE)
        assert setup.link.lives()
        setup.link.wake()
        clock.advance(60_000_000)
        assert setup.link.lives()
        setup.tell(Link.CONNECTED)
        assert not setup.link.lives()
        setup.sessions[0].heartbeat_us = clock.monotonic_us()
        assert setup.link.lives()


class Control:
    """Stands for the control server: a window was there, or not, for so long."""

    def __init__(self):
        self.without = (False, 0)

    def without_window_us(self):
        return self.without


class TestEnd:
    @pytest.fixture
    def make(self, file, clock):
        def supervisor(**rules):
            self.setup = Setup(file, clock, ONE)
            self.setup.link.wake()
            self.control, self.requests, self.watch = Control(), Requests(), Watch(clock)
            self.faults = Faults()
            self.ingest = SimpleNamespace(problem=None, warnings=(), waits_for_disk=False)
            files = sealer = late = desk = SimpleNamespace(look=lambda: None, warnings=())
            ingest, lock = self.ingest, SimpleNamespace(beat=lambda: None)
            return Supervisor(
                None,
                lock,
                self.setup.link,
                ingest,
                desk,
                files,
                sealer,
                late,
                self.control,
                self.watch,
                clock,
                EndRules(**rules),
                self.requests,
                self.faults,
            )

        return supervisor

    def ends(self, supervisor):
        supervisor._look()
        return self.requests.exit_code

    def test_with_windows_it_ends_five_seconds_after_the_last(self, make):
        one = make(with_window=True)
        for without in ((False, 59_000_000), (True, 0), (True, 5_000_000)):
            self.control.without = without
            assert self.ends(one) is None
        self.control.without = (True, 5_000_001)
        assert self.ends(one) == 0

    def test_a_window_that_never_comes_is_awaited_a_minute(self, make):
        one = make(with_window=True)
        self.control.without = (False, 60_000_001)
        assert self.ends(one) == 0

    def test_without_windows_it_stays(self, make, clock):
        one = make()
        self.control.without = (True, 3_600_000_000)
        clock.advance(3_600_000_000)
        assert self.ends(one) is None

    def test_refused_at_first_ends_with_the_reason(self, make):
        one = make()
        self.setup.tell(Link.REFUSED, problem=Problem("broker.credentials", {"host": "h", "user": "u"}))
        assert self.ends(one) == 5

    def test_refused_later_or_with_a_window_waits_for_somebody(self, make):
        refused = {"problem": Problem("broker.credentials", {"host": "h", "user": "u"})}
        one = make()
        self.setup.tell(Link.CONNECTED)
        self.setup.tell(Link.REFUSED, **refused)
        assert self.ends(one) is None
        one = make(with_window=True)
        self.setup.tell(Link.REFUSED, **refused)
        assert self.ends(one) is None

    def test_the_duration_ends_it_with_four_where_nothing_was_reached(self, make, clock):
        one = make(duration_s=2)
        clock.advance(1_999_999)
        assert self.ends(one) is None
        clock.advance(1)
        assert self.ends(one) == 4

    def test_the_duration_ends_it_well_where_something_was(self, make, clock):
        one = make(duration_s=2)
        self.setup.tell(Link.CONNECTED)
        clock.advance(2_000_000)
        assert self.ends(one) == 0

    def test_a_problem_is_told_once_per_change(self, make, capsys):
        one = make()
        for retry_at_us in (1, 2):
            self.setup.tell(Link.WAITING, problem=Problem("broker.name", {"host": "h"}, retry_at_us))
            self.ends(one)
        self.setup.tell(Link.WAITING, problem=Problem("broker.name", {"host": "other"}))
        self.ends(one)
        said = capsys.readouterr().err.splitlines()
        assert ["no computer named h" in said[0], "no computer named other" in said[1], len(said)] == [True, True, 2]

    def test_warnings_of_broker_and_store_are_told_as_well(self, make, capsys):
        one = make()
        lost = Problem("broker.session-lost", {"host": "h"})
        self.setup.tell(Link.CONNECTED, warnings=(lost,))
        self.ingest.warnings = (Problem("store.corrupt", {"path": "4.db", "detail": "x"}),)
        for _ in range(2):
            self.ends(one)
        said = capsys.readouterr().err.splitlines()
        assert ["forgotten our session" in said[0], "4.db is damaged" in said[1], len(said)] == [True, True, 2]

    @pytest.mark.parametrize("how", ["dead", "stuck"])
    def test_a_network_thread_that_ended_or_hangs_is_replaced_within_five_seconds(self, make, clock, how):
        one = make()
        self.watch.add(NETWORK, lambda: True, NETWORK_LIMIT_US)
        self.setup.tell(Link.CONNECTED)
        assert self.ends(one) is None
        self.setup.sessions[0].alive = how == "stuck"
        for _ in range(5):
            assert self.faults.count == 0
            clock.advance(1_000_000)
            assert self.ends(one) is None
            if len(self.setup.sessions) > 1:
                break
        assert (len(self.setup.sessions), self.faults.count) == (2, 1)
        assert self.setup.listener.told[-2:] == ["down", ("use", ONE.url)]
        assert self.setup.went_on == [False, True], "with what was known of the session"
        assert self.setup.link.lives()

    @pytest.mark.parametrize("pause_us", [1_900_000, 2_100_000, 60_000_000])
    def test_a_process_that_stood_still_as_a_whole_replaces_nothing(self, make, clock, pause_us):
        one = make()
        self.watch.add(NETWORK, lambda: True, NETWORK_LIMIT_US)
        self.setup.tell(Link.CONNECTED)
        assert self.ends(one) is None
        clock.advance(pause_us)
        assert self.ends(one) is None
        self.setup.sessions[0].heartbeat_us = clock.monotonic_us()
        clock.advance(1_000_000)
        assert self.ends(one) is None
        assert (len(self.setup.sessions), self.faults.count) == (1, 0)

    def test_a_dead_thread_ends_it_with_one(self, make):
        one = make()
        self.watch.add("ingest", lambda: False)
        assert self.ends(one) == 1
