import threading
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from app.recorder.gaps import DropWatch, LinkGaps
from app.recorder.ingest import Ingest
from app.recorder.log_file import Faults
from app.recorder.ports import Feed
from models.domain.arrivals import Arrival, Source
from models.domain.batch import RecordBatch
from models.domain.clock import Instant, SystemClock
from models.domain.messages import Kind, Origin, RawMessage
from models.domain.names import Names
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Cause, Presence
from models.domain.problems import EnvironmentProblem, Problem, trouble
from models.domain.records import Gap, GapCause
from models.storage.keeping.retention import StoreLimits
from models.storage.writing.known_before import KnownBefore
from mqtt.inbox import Inbox, InboxLimits
from tests.helpers.fake_broker import PUBLISH, packet
from tests.helpers.poll import until


def message(
    packet_id=0, payload=b"x", *, topic=b"agents/a/x", dup=False, epoch=1, received_us=None, origin=Origin.LIVE
):
    now_us = SystemClock().wall_us() if received_us is None else received_us
    return RawMessage(topic, payload, 1 if packet_id else 0, False, dup, packet_id, None, now_us, origin, epoch)


class Store:
    """Keeps batches in a list; `errors` are raised first, one a commit."""

    def __init__(self):
        self.names = Names()
        self.batches = []
        self.captures = []
        self.errors = []
        self.commands = []
        self.log = []
        self.closed = False
        self.before = KnownBefore()
        self.journal = SimpleNamespace(left_over=list, stored_to=0, problem=None, busy_since_us=None)
        self.heard = []
        self.problems = []
        self.hindrance = None
        self.limits = []
        self.store_bytes = 5
        self.behind = False
        self.briefly = []
        self.known = []

    def remembered(self):
        return self.known

    def begin_capture(self, broker, client_id, heard_us=0):
        self.captures.append((broker, client_id))
        self.heard.append(heard_us)
        return len(self.captures)

    def commit(self, batch):
        if self.errors:
            raise (
                self.errors.pop(0)
                if len(self.errors) > 1 or not isinstance(self.errors[0], Forever)
                else self.errors[0].error
            )
        assert not self.closed
        self.batches.append(batch)
        self.journal.stored_to = max(self.journal.stored_to, batch.arrived_to)
        self.log += [one.payload for one in batch.messages]
        return SimpleNamespace(duration_us=1_000)

    def housekeep(self, *, brief=False):
        self.log.append("housekeep")
        self.briefly.append(brief)
        if self.hindrance:
            raise self.hindrance

    def use_limits(self, limits):
        self.limits.append(limits)
        if self.hindrance:
            raise self.hindrance

    def submit(self, commands):
        if not commands:
            raise trouble("agent.unknown", agent="x")
        self.commands += commands

    def disk_days(self):
        return 1.5

    def close(self):
        self.closed = True

    @property
    def payloads(self):
        return [one.payload for batch in self.batches for one in batch.messages]

    @property
    def gaps(self):
        return [gap for batch in self.batches for gap in batch.gaps]

    @property
    def presence(self):
        return [change for batch in self.batches for change in batch.presence]


class Forever:
    def __init__(self, error):
        self.error = error


class Session:
    def __init__(self, inbox, store):
        self.inbox, self.store = inbox, store
        self.acknowledged = []
        self.events = []
        self.late = []

    def start(self):
        self.events.append("start")

    def acknowledge(self, messages):
        assert all(one.payload in self.store.log or one.dup for one in messages), "acknowledged before it was stored"
        self.acknowledged += [one.packet_id for one in messages if one.qos]

    def stop(self):
        self.inbox.put(self.late)
        self.events.append("stop")

    def end_session(self):
        self.events.append("end")
        return True

    def wake(self):
        self.events.append("wake")


class Reader:
    def __init__(self, names):
        self.names = names
        self.broken = False
        self.recalled = []

    def recall(self, messages):
        self.recalled += messages

    def use_rules(self, rules):
        self.rules = rules

    def read(self, messages):
        if self.broken:
            raise RecursionError("a mistake")
        n = len(messages)
        topics = [self.names.topic(one.topic) for one in messages]
        return RecordBatch(messages, topics, [self.names.agent("a")] * n, [Kind.MESSAGE] * n, [False] * n)


class Fixture:
    def __init__(self):
        self.clock = SystemClock()
        self.store = Store()
        self.faults = Faults()
        self.beats = 0
        self.feeds = []

    def start(self):
        self.ingest = Ingest(self.store, PresenceKeeper(), self.clock, self.faults, self.beat)
        self.ingest.thread.start()
        return self.feed()

    def beat(self):
        self.beats += 1

    def feed(self, broker="mqtt://h:1883"):
        inbox = Inbox(self.clock, InboxLimits(idle_us=10_000))
        feed = Feed(Session(inbox, self.store), inbox, Reader(self.store.names), broker, "client")
        self.feeds.append(feed)
        self.ingest.use(feed)
        until(lambda: "start" in feed.session.events, "the session is started")
        return feed

    def now(self):
        return Instant.now(self.clock)


@pytest.fixture
def fixture(monkeypatch):
    monkeypatch.setattr("app.recorder.store_troubles.RETRY_S", 0.01)
    one = Fixture()
    yield one
    one.ingest.finish()
    one.ingest.thread.join(20)
    assert not one.ingest.thread.is_alive()


def test_stores_in_order_and_acknowledges_what_is_stored(fixture):
    feed = fixture.start()
    for start in range(1, 301, 100):
        feed.inbox.put([message(n, b"%d" % n) for n in range(start, start + 100)])
    until(lambda: len(feed.session.acknowledged) == 300, "all acknowledged")
    assert fixture.store.payloads == [b"%d" % n for n in range(1, 301)]
    assert feed.session.acknowledged == list(range(1, 301))
    counters = fixture.ingest.counters()
    assert (counters.received, counters.stored, counters.lag_us) == (300, 300, counters.lag_us)
    assert counters.bytes == sum(len(b"%d" % n) for n in range(1, 301))


def test_new_limits_reach_the_store_even_while_its_disk_is_full(fixture):
    fixture.start()
    fixture.ingest.keep_within(StoreLimits(retention_s=5))
    until(lambda: fixture.store.limits == [StoreLimits(retention_s=5)], "the limits are in force")
    fixture.store.errors = [Forever(trouble("store.full", path="p"))]
    fixture.store.hindrance = trouble("store.full", path="catalogue.db")
    fixture.feeds[0].inbox.put([message(1)])
    until(lambda: fixture.ingest.problem is not None, "nothing can be stored")
    fixture.ingest.keep_within(StoreLimits(retention_bytes=1))
    until(lambda: fixture.store.limits[1:] == [StoreLimits(retention_bytes=1)], "space may be made")
    fixture.store.errors, fixture.store.hindrance = [], None
    until(lambda: fixture.ingest.problem is None, "it goes on")


def test_a_full_disk_holds_messages_unacknowledged_and_mends_by_itself(fixture):
    fixture.store.errors = [Forever(trouble("store.full", path="p"))]
    feed = fixture.start()
    feed.inbox.put([message(1, b"one")])
    until(lambda: fixture.ingest.problem is not None, "the problem is told")
    assert fixture.ingest.problem.code == "store.full"
    beats = fixture.beats
    until(lambda: fixture.beats > beats + 2, "it goes on trying, and lives")
    assert feed.session.acknowledged == []
    assert fixture.ingest.counters().lag_us > 0
    fixture.store.errors = []
    until(lambda: feed.session.acknowledged == [1], "stored after all")
    assert fixture.store.payloads == [b"one"]
    until(lambda: fixture.ingest.problem is None, "the problem is over")


class Shelf:
    """The topics of a catalogue that cannot be read for a while."""

    ill = True

    def id_of(self, _name):
        if self.ill:
            raise trouble("store.io", path="p", detail="the disk is gone")
        return 0


def test_while_no_topic_can_be_looked_up_messages_wait_unread(fixture):
    shelf = Shelf()
    fixture.store.names.topics.shelf = shelf
    fixture.store.names.topics.forget(others_too=True)
    feed = fixture.start()
    feed.inbox.put([message(1, b"one"), message(2, b"two")])
    until(lambda: fixture.ingest.problem is not None, "the problem is told")
    assert (fixture.ingest.problem.code, feed.session.acknowledged) == ("store.io", [])
    shelf.ill = False
    until(lambda: feed.session.acknowledged == [1, 2], "stored after all")
    assert fixture.store.payloads == [b"one", b"two"]


def test_commands_are_answered_while_the_disk_is_full(fixture):
    fixture.store.errors = [Forever(trouble("store.full", path="p"))]
    feed = fixture.start()
    feed.inbox.put([message(1)])
    until(lambda: fixture.ingest.problem is not None, "the problem is told")
    fixture.ingest.submit([{"do": "agent.note"}], 20)
    assert fixture.store.commands == [{"do": "agent.note"}]


def test_commands_return_when_stored_and_raise_what_the_store_raises(fixture):
    fixture.start()
    fixture.ingest.submit([{"do": "x"}], 20)
    assert fixture.store.commands == [{"do": "x"}]
    with pytest.raises(EnvironmentProblem, match="no agent"):
        fixture.ingest.submit([], 20)


def test_jobs_are_carried_out_between_batches_on_the_thread_that_stores(fixture):
    feed = fixture.start()
    feed.inbox.put([message(1, b"one")])
    threads = [fixture.ingest.carry_out(threading.current_thread, lambda: None) for _ in range(3)]
    assert threads == [fixture.ingest.thread] * 3
    until(lambda: feed.session.acknowledged == [1], "live messages are stored, too")
    with pytest.raises(EnvironmentProblem, match="no agent"):
        fixture.ingest.carry_out(lambda: fixture.store.submit([]), lambda: None)
    with pytest.raises(TimeoutError, match="of the job"):
        fixture.ingest.carry_out(lambda: raise_(TimeoutError("of the job")), lambda: None)


def test_a_job_does_not_wait_for_a_quiet_inbox(fixture):
    fixture.start()
    limits = InboxLimits(idle_us=3_600_000_000)
    inbox = Inbox(fixture.clock, limits)
    fixture.ingest.use(
        Feed(Session(inbox, fixture.store), inbox, Reader(fixture.store.names), "mqtt://h:1883", "client")
    )
    until(lambda: fixture.ingest._feed is not None and fixture.ingest._feed.inbox is inbox, "the feed is in use")
    assert fixture.ingest.carry_out(lambda: 5, lambda: None) == 5
    inbox.close()


def test_whoever_waits_for_a_job_may_look_up_and_give_up(fixture):
    fixture.start()
    gate = threading.Event()
    looks = []

    def meanwhile():
        looks.append(None)
        if len(looks) == 2:
            gate.set()
            raise KeyError("gives up")

    with pytest.raises(KeyError, match="gives up"):
        fixture.ingest.carry_out(lambda: gate.wait(20), meanwhile)
    assert fixture.ingest.carry_out(lambda: 1, lambda: None) == 1


def test_a_job_that_is_done_in_the_moment_of_a_look_is_answered(fixture, monkeypatch):
    class DoneAtTheLastMoment(Future):
        def result(self, timeout=None):
            done = super().result()
            if timeout is not None:
                raise TimeoutError
            return done

    monkeypatch.setattr("app.recorder.ingest.Future", DoneAtTheLastMoment)
    fixture.start()
    assert fixture.ingest.carry_out(lambda: 1, lambda: None) == 1


def test_a_job_for_a_thread_that_ended_is_refused(fixture):
    fixture.start()
    fixture.ingest.finish()
    fixture.ingest.thread.join(20)
    with pytest.raises(EnvironmentProblem) as raised:
        fixture.ingest.carry_out(lambda: 1, lambda: None)
    assert raised.value.problem.code == "recorder.died"


def raise_(error):
    raise error


def test_a_mistake_in_reading_costs_no_raw_message(fixture):
    feed = fixture.start()
    feed.reader.broken = True
    feed.inbox.put([message(1, b"one"), message(2, b"two")])
    until(lambda: feed.session.acknowledged == [1, 2], "acknowledged")
    assert fixture.store.payloads == [b"one", b"two"]
    assert list(fixture.store.batches[-1].agent) == [0, 0]
    assert fixture.faults.count == 1


def test_a_mistake_about_presence_costs_no_message(fixture, monkeypatch):
    """One that came again with every start would end every start."""
    feed = fixture.start()
    monkeypatch.setattr(PresenceKeeper, "observe", lambda *_: 1 / 0)
    feed.inbox.put([message(1)])
    until(lambda: feed.session.acknowledged == [1], "acknowledged")
    assert fixture.store.payloads == [b"x"]
    assert fixture.faults.count >= 1


def test_a_mistake_in_storing_is_tried_once_more_without_what_was_read(fixture):
    feed = fixture.start()
    fixture.store.errors = [ZeroDivisionError("a mistake")]
    feed.inbox.put([message(1, b"one")])
    until(lambda: feed.session.acknowledged == [1], "acknowledged")
    assert [list(one.agent) for one in fixture.store.batches if one.messages] == [[0]]
    assert fixture.faults.count == 1


def test_a_mistake_in_storing_costs_no_gap_and_counts_what_was_stored(fixture):
    feed = fixture.start()
    fixture.ingest.link_up(fixture.now(), session_lost=False)
    fixture.store.errors = [ZeroDivisionError("a mistake")]
    fixture.ingest.link_down(fixture.now())
    fixture.ingest.link_up(fixture.now(), session_lost=True)
    feed.inbox.put([message(1, b"one")])
    until(lambda: feed.session.acknowledged == [1], "acknowledged")
    assert {gap.cause for gap in fixture.store.gaps} >= {GapCause.SESSION_LOST}
    assert fixture.faults.count == 1


def test_what_hinders_the_upkeep_is_told_until_it_is_over(fixture, caplog):
    fixture.start()
    fixture.store.hindrance = trouble("store.io", path="catalogue.db", detail="x")
    until(lambda: fixture.ingest.warnings, "it is told")
    assert [one.code for one in fixture.ingest.warnings] == ["store.io"]
    done = fixture.store.log.count("housekeep")
    until(lambda: fixture.store.log.count("housekeep") > done + 1, "it goes on")
    assert caplog.text.count("catalogue.db") == 1
    fixture.store.hindrance = None
    until(lambda: not fixture.ingest.warnings, "it is over")


@pytest.mark.parametrize("window", [None, 65_535])
def test_a_broker_that_waits_for_us_waits_for_a_little_of_the_upkeep_at_a_time(fixture, monkeypatch, window):
    monkeypatch.setattr("app.recorder.ingest.HOUSEKEEP_US", 1 << 60)
    feed = fixture.start()
    feed.inbox.begin_epoch(window)
    fixture.store.behind = True
    for number in (1, 2):
        feed.inbox.put([message(number)])
        until(lambda number=number: feed.session.acknowledged[-1:] == [number], "acknowledged")
        if window is None:
            until(lambda number=number: len(fixture.store.briefly) >= number, "some of it was done")
    assert set(fixture.store.briefly) == ({True} if window is None else set())


def test_what_the_store_mends_at_the_end_is_told(fixture):
    fixture.start()
    found = trouble("store.corrupt", path="1.db", detail="x").problem
    fixture.store.close = lambda: fixture.store.problems.append(found)
    fixture.ingest.finish()
    fixture.ingest.thread.join(20)
    assert fixture.ingest.warnings == (found,)


def test_redeliveries_of_a_resumed_session_are_acknowledged_and_not_stored(fixture):
    feed = fixture.start()
    fixture.ingest.link_up(fixture.now(), session_lost=False)
    feed.inbox.put([message(1, b"one"), message(2, b"two")])
    until(lambda: feed.session.acknowledged == [1, 2], "acknowledged")
    fixture.ingest.link_down(fixture.now())
    fixture.ingest.link_up(fixture.now(), session_lost=False)
    until(
        lambda: any(gap.cause is GapCause.NOT_CONNECTED for gap in fixture.store.gaps), "the link is known to be back"
    )
    feed.inbox.put([message(1, b"one", dup=True, epoch=2), message(2, b"other", dup=True, epoch=2)])
    until(lambda: feed.session.acknowledged == [1, 2, 1, 2], "both acknowledged")
    assert fixture.store.payloads == [b"one", b"two", b"other"]
    assert fixture.ingest.counters().duplicates == 1
    assert sum(batch.duplicates for batch in fixture.store.batches) == 1


def test_agents_are_unknown_while_the_link_is_down(fixture):
    feed = fixture.start()
    fixture.ingest.link_up(fixture.now(), session_lost=False)
    feed.inbox.put([message(1)])
    until(lambda: fixture.store.presence, "the agent is seen")
    fixture.ingest.link_down(fixture.now())
    until(lambda: len(fixture.store.presence) > 1, "the link is known to be down")
    assert [(one.presence, one.cause) for one in fixture.store.presence[:2]] == [
        (Presence.ONLINE, Cause.HEARD),
        (Presence.UNKNOWN, Cause.LINK_LOST),
    ]


def test_ending_stores_what_arrived_late_and_closes(fixture):
    feed = fixture.start()
    feed.session.late = [message(3, b"late")]
    feed.inbox.put([message(1, b"one")])
    fixture.ingest.finish()
    fixture.ingest.thread.join(20)
    assert fixture.store.payloads == [b"one", b"late"]
    assert fixture.store.closed
    assert fixture.ingest.closed
    assert feed.session.events == ["start", "stop"]


def test_ending_with_a_full_disk_gives_up_and_says_so(fixture):
    feed = fixture.start()
    fixture.store.errors = [Forever(trouble("store.full", path="p"))]
    feed.inbox.put([message(1, b"one")])
    until(lambda: fixture.ingest.problem is not None, "the problem is told")
    fixture.ingest.finish()
    fixture.ingest.thread.join(20)
    assert not fixture.ingest.closed
    assert fixture.store.closed
    assert feed.session.acknowledged == []


def test_another_broker_is_another_capture_and_ends_the_session_before(fixture):
    first = fixture.start()
    first.session.late = [message(5, b"late")]
    second = fixture.feed("mqtt://other:1883")
    assert first.session.events[:2] == ["start", "stop"]
    until(lambda: first.session.events[2:] == ["end"], "the broker is told to forget us")
    assert second.session.events == ["start"]
    assert fixture.store.payloads == [b"late"]
    assert [broker for broker, _ in fixture.store.captures] == ["mqtt://h:1883", "mqtt://other:1883"]


def test_the_same_broker_again_keeps_the_session(fixture):
    first = fixture.start()
    first.inbox.begin_epoch(None)
    fixture.ingest.link_up(fixture.now(), session_lost=False)
    first.session.late = [message(1, b"one")]  # nobody hears our acknowledgement any more
    second = fixture.feed()
    assert first.session.events == ["start", "stop"]
    fixture.ingest.link_up(fixture.now(), session_lost=False)
    second.inbox.put([message(1, b"one", dup=True), message(2, b"two")])
    until(lambda: second.session.acknowledged == [1, 2], "both acknowledged")
    assert fixture.store.payloads == [b"one", b"two"]


def kept(broker, *numbers):
    """What an earlier run acknowledged: one message each."""
    source = Source(broker, "client", version_5=False)
    packets = [packet(PUBLISH, 2, b"\x00\x01t" + number.to_bytes(2, "big") + b"%d" % number) for number in numbers]
    arrivals = [Arrival(number, 1_000 + number, one) for number, one in zip(numbers, packets, strict=True)]
    return source, arrivals


def test_what_an_earlier_run_acknowledged_comes_first_and_speaks_of_the_past(fixture):
    fixture.store.journal.left_over = lambda: [kept("mqtt://h:1883", 5, 6)]
    feed = fixture.start()
    feed.inbox.put([message(1, b"now")], number=7)
    until(lambda: feed.session.acknowledged == [1], "the later one is acknowledged, and none of the others")
    assert fixture.store.payloads == [b"5", b"6", b"now"]
    assert [one.origin for one in fixture.store.batches[0].messages] == [Origin.BACKLOG] * 2
    assert [one.received_us for one in fixture.store.batches[0].messages] == [1_005, 1_006]
    assert [batch.arrived_to for batch in fixture.store.batches] == [6, 7]
    assert fixture.store.captures == [("mqtt://h:1883", "client")]
    assert fixture.store.heard == [1_006], "until then it was recorded"


def test_what_is_left_of_another_broker_is_a_capture_of_its_own(fixture):
    fixture.store.journal.left_over = lambda: [kept("mqtt://before:1883", 5), kept("mqtt://other:1883", 6)]
    fixture.start()
    assert fixture.store.payloads == [b"5", b"6"]
    assert [broker for broker, _ in fixture.store.captures] == [
        "mqtt://before:1883",
        "mqtt://other:1883",
        "mqtt://h:1883",
    ]


def test_what_cannot_be_read_of_the_journal_costs_nothing_else(fixture):
    """It would else end every start."""
    source, (first, last) = kept("mqtt://h:1883", 5, 6)
    broken = Arrival(5, 1_005, packet(PUBLISH, 2, b"\x00\x01t\x00\x07a") + packet(PUBLISH, 2, b"\x00\x09t"))
    fixture.store.journal.left_over = lambda: [(source, [first, broken, last])]
    fixture.start()
    until(lambda: fixture.store.journal.stored_to == 6, "all that can be read is stored")
    assert fixture.store.payloads == [b"5", b"a", b"6"]
    assert fixture.faults.count == 1


def test_packet_ids_of_one_broker_say_nothing_of_another(fixture):
    packets = packet(PUBLISH, 2, b"\x00\x01t\x00\x05x")
    again = packet(PUBLISH, 10, b"\x00\x01t\x00\x05x")
    left = [
        (Source(broker, "client", version_5=False), [Arrival(number, 1_000, content)])
        for broker, number, content in (("mqtt://a:1", 5, packets), ("mqtt://b:1", 6, again))
    ]
    fixture.store.journal.left_over = lambda: left
    fixture.start()
    until(lambda: fixture.store.journal.stored_to == 6, "both are stored")
    assert fixture.store.payloads == [b"x", b"x"]


def test_a_slow_disk_is_no_hanging_network_thread(fixture):
    fixture.start()
    assert not fixture.ingest.waits_for_disk
    fixture.store.journal.busy_since_us = fixture.clock.monotonic_us()
    assert fixture.ingest.waits_for_disk
    fixture.store.journal.busy_since_us -= 31_000_000
    assert not fixture.ingest.waits_for_disk


def test_nothing_is_asked_of_the_broker_before_all_that_is_left_is_stored(fixture):
    fixture.store.journal.left_over = lambda: [kept("mqtt://h:1883", 5)]
    fixture.store.errors = [Forever(trouble("store.full", path="/x"))]
    fixture.ingest = Ingest(fixture.store, PresenceKeeper(), fixture.clock, fixture.faults, fixture.beat)
    inbox = Inbox(fixture.clock, InboxLimits(idle_us=10_000))
    session = Session(inbox, fixture.store)
    fixture.ingest.use(Feed(session, inbox, Reader(fixture.store.names), "mqtt://h:1883", "client"))
    fixture.ingest.thread.start()
    until(lambda: fixture.ingest.problem is not None, "the disk is full")
    fixture.ingest.finish()
    fixture.ingest.thread.join(20)
    assert (session.events, fixture.store.payloads, fixture.store.journal.stored_to) == ([], [], 0)


def test_what_is_given_up_at_the_end_is_not_jumped_over(fixture):
    """The disk is full for one batch and has room for the next: that one would say that all before it is stored."""
    ingest = fixture.ingest = Ingest(fixture.store, PresenceKeeper(), fixture.clock, fixture.faults, fixture.beat)
    inbox = Inbox(fixture.clock, InboxLimits(idle_us=0, take_messages=1))
    feed = Feed(Session(inbox, fixture.store), inbox, Reader(fixture.store.names), "mqtt://h:1883", "client")
    ingest._begin(feed)
    fixture.store.errors = [EnvironmentProblem(Problem("store.full", {"path": "/x"}))]
    for number in (1, 2):
        inbox.put([message(number, b"%d" % number)], number=number)
    ingest.finish()
    ingest.thread.start()
    ingest.thread.join(20)
    assert (fixture.store.payloads, fixture.store.journal.stored_to, ingest.closed) == ([], 0, False)


def test_a_batch_that_is_stored_raw_still_says_up_to_where_all_is_stored(fixture):
    feed = fixture.start()
    fixture.store.errors = [ValueError("a mistake of ours")]
    feed.inbox.put([message(1, b"x")], number=9)
    until(lambda: feed.session.acknowledged == [1], "it is acknowledged")
    assert [batch.arrived_to for batch in fixture.store.batches] == [9]


def test_a_journal_that_cannot_be_written_is_told(fixture):
    fixture.start()
    fixture.store.journal.problem = Problem("store.io", {"path": "/x", "detail": "broken"})
    assert [one.code for one in fixture.ingest.warnings] == ["store.io"]


def test_dropped_messages_make_a_gap(fixture):
    feed = fixture.start()
    feed.inbox._limits = InboxLimits(idle_us=10_000, waiting_messages=10)
    feed.inbox.put([message(0, b"%d" % n) for n in range(100)])
    until(lambda: fixture.ingest.counters().dropped, "some are dropped")
    dropped = fixture.ingest.counters().dropped
    assert len(fixture.store.payloads) + dropped == 100
    assert [(gap.cause, gap.missing) for gap in fixture.store.gaps] == [(GapCause.DROPPED, dropped)]
    assert sum(batch.dropped for batch in fixture.store.batches) == dropped


def test_the_brokers_own_counter_makes_a_gap_when_it_grows(fixture):
    feed = fixture.start()
    topic = b"$SYS/broker/publish/messages/dropped"
    feed.inbox.put([message(0, b"7", topic=topic, received_us=1_000, origin=Origin.REPLAY)])
    feed.inbox.put([message(0, b"7", topic=topic, received_us=2_000), message(0, b"nonsense", topic=topic)])
    feed.inbox.put([message(0, b"12", topic=topic, received_us=3_000)])
    until(lambda: len(fixture.store.payloads) == 4, "all stored")
    assert fixture.store.gaps == [Gap(2_000, 3_000, 0, GapCause.BROKER_DROPPED, 5)]


class TestLinkGaps:
    START = Instant(10_000_000, 0)

    def test_connecting_at_once_is_no_gap(self):
        assert LinkGaps(self.START).up(Instant(10_500_000, 500_000), session_lost=False) == []

    def test_connecting_late_is_a_gap(self):
        gaps = LinkGaps(self.START).up(Instant(13_000_000, 3_000_000), session_lost=False)
        assert gaps == [Gap(10_000_000, 13_000_000, 0, GapCause.NOT_CONNECTED, 0)]

    def test_a_lost_session_is_told_beside_the_lost_link(self):
        gaps = LinkGaps(self.START)
        gaps.up(Instant(10_500_000, 500_000), session_lost=False)
        gaps.down(Instant(11_000_000, 1_000_000))
        gaps.down(Instant(11_500_000, 1_500_000))
        causes = [
            (one.cause, one.since_us, one.until_us)
            for one in gaps.up(Instant(12_000_000, 2_000_000), session_lost=True)
        ]
        assert causes == [
            (GapCause.NOT_CONNECTED, 11_000_000, 12_000_000),
            (GapCause.SESSION_LOST, 11_000_000, 12_000_000),
        ]
        assert gaps.closing(Instant(13_000_000, 3_000_000)) == []

    def test_a_resumed_session_lost_nothing(self):
        gaps = LinkGaps(self.START)
        gaps.up(Instant(10_500_000, 500_000), session_lost=False)
        gaps.down(Instant(11_000_000, 1_000_000))
        assert [one.cause for one in gaps.up(Instant(12_000_000, 2_000_000), session_lost=False)] == [
            GapCause.NOT_CONNECTED
        ]

    def test_a_clock_that_was_set_back_makes_no_gap_that_ends_before_it_begins(self):
        gaps = LinkGaps(self.START)
        gaps.up(Instant(10_500_000, 500_000), session_lost=False)
        gaps.down(Instant(11_000_000, 1_000_000))
        assert gaps.up(Instant(5_000_000, 2_000_000), session_lost=False)[0].until_us == 11_000_000


def test_a_restarted_brokers_counter_begins_anew():
    watch = DropWatch(0)
    names = Names()
    topic = names.topic(b"$SYS/broker/publish/messages/dropped")

    def told(count, at_us):
        one = message(0, b"%d" % count, topic=names.topics[topic], received_us=at_us)
        return watch.brokers(RecordBatch([one], [topic], [0], [Kind.OTHER], [False]), topic)

    assert told(100, 1) == []
    assert [gap.missing for gap in told(150, 2)] == [50]
    assert [gap.missing for gap in told(3, 3)] == [3], "it started anew"
    assert told(0, 4) == []
    watch.forget_broker()
    assert told(150, 5) == [], "it may be another broker"
    assert [gap.missing for gap in told(151, 6)] == [1]
    assert [told(nonsense, 7) for nonsense in (10**30, -5)] == [[], []], (
        "no store could hold it, and no broker counts so"
    )
    assert [gap.missing for gap in told(153, 8)] == [2]


def test_what_the_broker_threw_away_while_we_were_gone_is_told_where_it_kept_our_session(fixture):
    feed = fixture.start()
    topic = b"$SYS/broker/publish/messages/dropped"
    fixture.ingest.link_up(fixture.now(), session_lost=False)
    feed.inbox.put([message(0, b"7", topic=topic, received_us=1_000, origin=Origin.REPLAY)])
    until(lambda: len(fixture.store.payloads) == 1, "stored")
    fixture.ingest.link_down(fixture.now())
    fixture.ingest.link_up(fixture.now(), session_lost=False)
    feed.inbox.put([message(0, b"30", topic=topic, received_us=2_000, origin=Origin.BACKLOG)])
    feed.inbox.put([message(0, b"40", topic=topic, received_us=3_000, origin=Origin.REPLAY)])
    until(lambda: len(fixture.store.payloads) == 3, "stored")
    feed.inbox.put(
        [message(0, b"42", topic=topic, received_us=4_000, origin=Origin.BACKLOG)]
    )  # only just, and never again
    feed.inbox.put([message(0, b"35", topic=topic, received_us=5_000, origin=Origin.BACKLOG)])  # was kept for us
    until(lambda: len(fixture.store.payloads) == 5, "stored")
    dropped = [gap for gap in fixture.store.gaps if gap.cause is GapCause.BROKER_DROPPED]
    assert [(one.since_us, one.until_us, one.missing) for one in dropped] == [
        (1_000, 2_000, 23), (2_000, 3_000, 10), (3_000, 4_000, 2),
    ]  # fmt: skip


def test_a_new_reader_recalls_what_was_declared_before_it_reads(fixture):
    fixture.store.known = [message(topic=b"homeassistant/sensor/x/config", payload=b"{}")]
    feed = fixture.start()
    assert feed.reader.recalled == fixture.store.known
    assert not fixture.store.batches
