"""The recorder's standing connection to one broker: keeps its session there, comes back by itself, and says how it is."""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from models.domain.arrivals import Journal
from models.domain.clock import Clock
from models.domain.connection import Connection, Protocol, Secret
from models.domain.control import Link as LinkWord
from models.domain.masking import Masking
from models.domain.messages import Properties, RawMessage
from models.domain.problems import EnvironmentProblem, Problem
from mqtt import refusals
from mqtt.backoff import Backoff
from mqtt.demux_trial import bulk_works
from mqtt.dialogue import Cancelled, forget_session
from mqtt.inbox import Inbox
from mqtt.link import Link, LinkEnd
from mqtt.outgoing import Publication, Receipt
from mqtt.recurrence import HOLDS_US, Pattern, Recurrence
from mqtt.retained_states import KnownStates
from mqtt.versions import VersionChoice
from mqtt.waker import Waker
from mqtt.wire import Hello, Wire

STOP_LIMIT_S = 5.0
_PATTERN_PAUSE_S = 300.0
_WAIT_SLICE_S = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LinkState:
    """How we stand with the broker. `session_lost`: the broker had forgotten what it should have kept for us while we
    were away (said once, in the first CONNECTED after it). `window`: unacknowledged messages it may send; None: unknown."""

    link: LinkWord
    since_us: int  # wall
    problem: Problem | None = None
    warnings: tuple[Problem, ...] = ()
    mqtt_version: str = ""
    session_present: bool = False
    session_lost: bool = False
    epoch: int = 0
    window: int | None = None
    in_bulk: bool = False  # messages are taken out of the bytes many at a time; else paho brings each


@dataclass(slots=True)
class SessionCounters:
    """Since the session was made."""

    attempts: int = 0
    connections: int = 0
    stale_acknowledgements: int = 0  # of messages that came over an earlier connection; dropped
    malformed: int = 0  # connections that ended because the broker sent what is not MQTT
    faults: int = 0  # bugs of ours that the network thread survived; the log has them


@dataclass(slots=True)
class SessionMemory:
    """What outlives a connection, and the thread that made it. Written by that thread alone, but for `anew`."""

    expects_session: bool = False  # there is one at the broker, as far as we know
    session_lost: bool = False  # not told yet
    forgotten: bool = False  # as of the last CONNACK
    anew: bool = False  # before the next attempt to connect the broker shall forget the session
    owed: set[int] = field(default_factory=set)  # packet ids of what found no room and has to come again


class Session:
    """Connects, subscribes, fills the inbox. Own network thread; all methods are for any thread.

    `client_id` must be the same in every run of a workspace and used by nobody else. `memory`: what is known of its
    session at the broker; belongs to this one from now on. `on_link` is called from the network thread and must not wait. `bulk`:
    take messages out of the bytes many at a time, where that can be; then `journal` keeps them safe until they are stored.
    `masking`: what is hidden of them first. `known_states`: as `Link` has it.
    """

    def __init__(
        self,
        connection: Connection,
        secret: Secret | None,
        client_id: str,
        inbox: Inbox,
        clock: Clock,
        on_link: Callable[[LinkState], None],
        *,
        memory: SessionMemory | None = None,
        backoff: Backoff | None = None,
        bulk: bool = True,
        journal: Journal | None = None,
        masking: Masking | None = None,
        known_states: KnownStates | None = None,
    ) -> None:
        self.counters = SessionCounters()
        self._beat_us = 0
        self.state = LinkState(LinkWord.CONNECTING, clock.wall_us())
        self._connection, self._secret, self._inbox, self._clock = connection, secret, inbox, clock
        self._on_link = on_link
        self._hello = Hello(client_id, clean=False, session_expiry_s=connection.session_expiry_s)
        self._versions = VersionChoice(connection.protocol)
        self._backoff = backoff or Backoff()
        self._memory = memory or SessionMemory()
        self._recurrence = Recurrence()
        self._bulk, self._journal, self._masking = bulk, journal, masking
        self._known_states = known_states
        self._stopping = False
        self._link: Link | None = None
        self._taken_over: Link | None = None  # the one before, until the broker has answered this one
        self._guard = threading.Lock()  # publications against the end of their link
        self._tries_now = threading.Event()
        self._waker = Waker()
        self._thread = threading.Thread(target=self._run, name="mqtt-session", daemon=True)

    # ---- any thread

    def start(self) -> None:
        self._beat_us = self._clock.monotonic_us()
        self._thread.start()

    @property
    def heartbeat_us(self) -> int:
        """Monotonic time of the network thread's last turn; a name that does not resolve holds it up. Now, where it was not
        started yet."""
        return self._beat_us or self._clock.monotonic_us()

    def stop(self) -> None:
        """Acknowledge what was handed in, say goodbye, and keep the session at the broker. Returns within 5 s; a name
        server or a host that does not answer ends in the background."""
        self._stopping = True
        self._tries_now.set()
        self._waker.wake()
        if self._thread.is_alive():
            self._thread.join(STOP_LIMIT_S)
        if not self._thread.is_alive():
            self._waker.close()

    def end_session(self) -> bool:
        """Stop, and let the broker forget the session with all it queued: for connections that are removed. False: the
        broker could not be told (it forgets when the session expires). Returns within some 15 s."""
        self.stop()
        try:
            forget_session(self._connection, self._secret, self._hello.client_id, self._clock)
        except EnvironmentProblem:
            return False
        return True

    def wake(self) -> None:
        """Try now: after a change of settings, on request, when the network is back."""
        self._tries_now.set()

    def start_anew(self) -> None:
        """Try now, after the broker has thrown away the session with all it queued: for one that begins with what nobody
        can read. What is lost shows as a gap. Does nothing while connected, for then it can be read."""
        link = self._link
        if link is not None and link.up_since_us is not None:
            return
        self._memory.anew = True
        self._tries_now.set()

    @property
    def alive(self) -> bool:
        """Does the network thread run, as far as it was started?"""
        return self._thread.ident is None or self._thread.is_alive()

    def use_secret(self, secret: Secret | None) -> None:
        """Another password for the attempts to come."""
        self._secret = secret

    def acknowledge(self, messages: Sequence[RawMessage]) -> None:
        """These are stored: tell the broker, in this order, as far as it was not told already because they were safe in the
        journal. Messages of earlier connections are left alone, for their packet ids may name others by now; the broker
        sends them again."""
        link = self._link
        epoch = link.epoch if link is not None else 0
        ours = [(one.packet_id, one.qos) for one in messages if one.qos and one.epoch == epoch]
        if len(ours) < len(messages):
            self.counters.stale_acknowledgements += sum(1 for one in messages if one.qos) - len(ours)
        if link is not None and ours:
            link.acknowledge(ours)
            self._waker.wake()

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, retain: bool = False, properties: Properties | None = None
    ) -> "Future[Receipt]":
        """Publish once. The future gets the broker's answer (in the network thread), or `EnvironmentProblem`
        "broker.lost" when there is no connection or it breaks first: then nobody knows, and nothing is sent again."""
        publication = Publication(topic, payload, qos, retain, properties)
        with self._guard:
            link = self._link
            if link is None or link.up_since_us is None:
                publication.fail(refusals.lost(self._connection, "not connected"))
            else:
                link.publish(publication)
        self._waker.wake()
        return publication.receipt

    # ---- network thread

    def _run(self) -> None:
        self._bulk = self._bulk and not self._connection.websocket and bulk_works(self._clock)
        _log.info("messages are received %s", "in bulk" if self._bulk else "one by one")
        while not self._stopping:
            try:
                end = self._one_link()
            except Exception:  # noqa: BLE001 - the last net under the thread; it is logged and counted
                self.counters.faults += 1
                _log.exception("the network thread goes on after a fault")
                end = LinkEnd(refusals.lost(self._connection, "a fault in this program; its log tells more"))
            if not self._stopping:
                self._between(end)
        self._let_go()

    def _one_link(self) -> LinkEnd:
        version = self._versions.current
        self._tries_now.clear()
        self._tell(LinkState(LinkWord.CONNECTING, 0, self.state.problem))
        self.counters.attempts += 1
        failed = self._forget() if self._memory.anew else None
        if failed is not None:
            return failed
        clock = self._clock if self._bulk else None
        wire = Wire(self._connection, self._secret, self._hello, version, self._waker, clock)
        window = self._hello.receive_maximum if version is Protocol.MQTT_5 else None
        link = Link(
            wire, self._connection, self._hello.client_id, self._inbox, self._clock, window, self._connack, self._up,
            self._memory.owed, self._journal if self._bulk else None, self._masking, self._known_states,
        )  # fmt: skip
        self._link = link
        try:
            end = link.run(self._goes_on)
        finally:
            with self._guard:
                self._link = None
            self._let_go()
            link.abandon()
        if end.renews:
            self._taken_over = link
        return end

    def _let_go(self) -> None:
        before, self._taken_over = self._taken_over, None
        if before is not None:
            before.close()

    def _forget(self) -> LinkEnd | None:
        """Let the broker forget the session. What kept it from that ends the attempt: to go on with the session would bring
        what was to be thrown away, and to forget it at some later attempt would cost what came since."""
        try:
            forget_session(self._connection, self._secret, self._hello.client_id, self._clock, lambda: self._stopping)
        except Cancelled:
            return LinkEnd(None)
        except EnvironmentProblem as error:
            cause = error.__cause__
            return LinkEnd(error.problem, nobody=isinstance(cause, Exception) and refusals.reached_nobody(cause))
        self._memory.anew = False
        return None

    def _goes_on(self) -> bool:
        self._beat_us = self._clock.monotonic_us()
        return not self._stopping

    def _connack(self, session_present: bool) -> None:
        self._let_go()
        self._versions.answered()
        self._memory.forgotten = self._memory.expects_session and not session_present
        self._memory.session_lost |= self._memory.forgotten
        self._memory.expects_session = self._link is not None and self._link.keeps_session

    def _up(self, link: Link) -> None:
        self.counters.connections += 1
        warnings = link.warnings
        if self._memory.session_lost:
            warnings = (Problem("broker.session-lost", {"host": self._connection.host}), *warnings)
        state = LinkState(
            LinkWord.CONNECTED, 0, None, warnings, link.version.value, link.session_present, self._memory.session_lost,
            link.epoch, link.window, link.in_bulk,
        )  # fmt: skip
        self._memory.session_lost = False
        self._tell(state)

    def _between(self, end: LinkEnd) -> None:
        """Decide when to try again, say so, and wait."""
        if end.renews:
            return
        self.counters.malformed += end.malformed
        if end.answered:
            self._versions.answered()
        elif end.turned_away and self._versions.turned_away():
            return
        held = end.up_us is not None and end.up_us >= HOLDS_US
        if held:
            self._backoff.reset()
        problem = end.problem or refusals.lost(self._connection, "it ended")
        pattern = self._recurrence.see(end, forgotten=self._memory.forgotten)
        if pattern is not None:
            told = refusals.cut_off if pattern is Pattern.TAKEN_OVER else refusals.malformed
            self._pause(LinkWord.REFUSED, told(self._connection), _PATTERN_PAUSE_S)
        elif refusals.waits_for_somebody(problem):
            self._tell(LinkState(LinkWord.REFUSED, 0, problem))
            self._wait(None)
        else:
            self._pause(LinkWord.WAITING, problem, self._backoff.next_delay_s(nobody=end.nobody))

    def _pause(self, word: LinkWord, problem: Problem, delay_s: float) -> None:
        retry_at_us = self._clock.wall_us() + int(delay_s * 1e6)
        self._tell(LinkState(word, 0, replace(problem, retry_at_us=retry_at_us)))
        self._wait(delay_s)

    def _wait(self, delay_s: float | None) -> None:
        """Until the time is over (None: for ever), or somebody wakes or stops us."""
        until_us = None if delay_s is None else self._clock.monotonic_us() + int(delay_s * 1e6)
        while self._goes_on():
            left_s = _WAIT_SLICE_S if until_us is None else (until_us - self._clock.monotonic_us()) / 1e6
            if left_s <= 0:
                return
            if self._tries_now.wait(min(left_s, _WAIT_SLICE_S)):
                self._backoff.reset()
                self._recurrence.reset()
                return

    def _tell(self, state: LinkState) -> None:
        self.state = replace(state, since_us=self._clock.wall_us())
        try:
            self._on_link(self.state)
        except Exception:  # noqa: BLE001 - as above
            self.counters.faults += 1
            _log.exception("whoever is told of the link's state failed")
