"""The way to the broker: chooses it, runs our own where wanted, opens sessions, and knows how the link is."""

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from app.recorder.broker_choice import BrokerChoice, Own
from app.recorder.companion import Companion
from app.recorder.embedded_broker import EmbeddedBroker
from app.recorder.ports import Feed
from models.domain.clock import Clock, Instant
from models.domain.connection import Connection, Secret
from models.domain.control import Link
from models.domain.problems import EnvironmentProblem, Problem, fill, trouble
from models.domain.publishing import OutgoingMessage
from mqtt.outgoing import Receipt
from mqtt.session import LinkState

TURN_US = 1_500_000
LOOKING_UP_US = 120_000_000
_LOG = logging.getLogger(__name__)


class FeedMaker(Protocol):
    """Makes a feed whose session is not started yet. `on_link` is called from the network thread. `again`: for the feed made
    last, whose network thread is no more; the session at the broker is the same."""

    def __call__(
        self, connection: Connection, secret: Secret | None, on_link: Callable[[LinkState], None], *, again: bool
    ) -> Feed: ...


class SecretFinder(Protocol):
    """Asks the keyring without holding up the main thread, in which `found` is called: with the secret, or what failed."""

    def __call__(self, connection: Connection, found: Callable[[Secret | None, Problem | None], None]) -> None: ...


class LinkListener(Protocol):
    """`ingest.Ingest`, as far as it follows the link."""

    def use(self, feed: Feed) -> None: ...
    def leave(self) -> None: ...
    def link_up(self, at: Instant, *, session_lost: bool) -> None: ...
    def link_down(self, at: Instant) -> None: ...


@dataclass(frozen=True, slots=True)
class LinkView:
    """How the link is, for whoever asks. `session_lost`: the broker had forgotten us, with all it kept. `password_may_come`: refused without a password that a locked keyring may hold."""

    link: Link = Link.IDLE
    since_us: int = 0
    broker_url: str = ""
    mqtt_version: str = ""
    in_bulk: bool = False
    session_lost: bool = False
    embedded: bool = False
    problem: Problem | None = None
    warnings: tuple[Problem, ...] = ()
    ever_connected: bool = False
    password_may_come: bool = False


class BrokerLink:
    """Main thread only, but for `view` and `publish` (any thread)."""

    def __init__(
        self, choice: BrokerChoice, make_feed: FeedMaker, listener: LinkListener, broker: EmbeddedBroker, agent: Companion,
        clock: Clock, on_change: Callable[[], None], find_secret: SecretFinder,
    ) -> None:  # fmt: skip
        self._choice = choice
        self._find_secret = find_secret
        self._make_feed = make_feed
        self._listener = listener
        self._broker = broker
        self._agent = agent
        self._clock = clock
        self._on_change = on_change
        self._lock = threading.Lock()
        self._target: Connection | Own | None = None
        self._feed: Feed | None = None
        self._secret: Secret | None = None  # as the present feed has it
        self._has_new_secret = self._remembered = False
        self._own_problem: Problem | None = None  # why our own broker does not run
        self._looking = False  # the keyring is being asked for the password of the target
        self._unread: Problem | None = None  # why it could not be asked
        self._opened_us = clock.wall_us()
        self._told: LinkState | None = None  # by the present session
        self._connected = self._ever_connected = False

    @property
    def connection(self) -> Connection | None:
        """The broker that is recorded, or would be."""
        if self._target is Own.BROKER:
            return self._broker.access.connection if self._feed is not None else None
        return self._target if isinstance(self._target, Connection) else None

    @property
    def secret(self) -> Secret | None:
        return self._secret

    @property
    def view(self) -> LinkView:
        told, connection = self._told, self.connection
        problem = self._own_problem or (told.problem if told is not None else None) or self._choice.problem
        link = told.link if told is not None else Link.CONNECTING if self._looking else Link.IDLE
        warnings, unread = told.warnings if told is not None else (), self._unread
        if unread is not None and connection is not None and link is Link.REFUSED:
            detail = fill(unread.kind.sentence, unread.params).rstrip(".")
            warnings = (*warnings, Problem("keyring.unread", {"url": connection.url, "detail": detail}))
        return LinkView(
            link=link,
            since_us=told.since_us if told is not None else self._opened_us,
            broker_url=connection.url if connection is not None else "",
            mqtt_version=told.mqtt_version if told is not None else "",
            in_bulk=told is not None and told.in_bulk,
            session_lost=told is not None and told.session_lost,
            embedded=self._target is Own.BROKER,
            problem=problem,
            warnings=warnings,
            ever_connected=self._ever_connected,
            password_may_come=unread is not None and unread.code != "keyring.none",
        )

    def wake(self, *, anew: bool = False) -> None:
        """Read the settings again. Another broker or password: connect with it; else try to connect now. `anew`: the broker
        shall forget first what it keeps for us."""
        before, wanted = self._target, self._choice.read()
        if before is not None and wanted != before and not self._has_new_secret:
            self._choice.forget_secret()  # it must not reach another broker
        if self._looking and wanted == before and not self._has_new_secret:
            return
        if self._feed is None or wanted != before or self._lacks_secret():
            self._open(wanted)
            return
        if self._has_new_secret and wanted is not Own.BROKER:
            self._has_new_secret = False
            self._secret = self._choice.secret
            self._feed.session.use_secret(self._secret)
        if anew:
            self._feed.session.start_anew()
        else:
            self._feed.session.wake()

    def _lacks_secret(self) -> bool:
        """Was it refused for want of a password? Then the keyring, unlocked meanwhile, may have it."""
        refused = self._told is not None and self._told.link is Link.REFUSED
        return refused and self._secret is None and not self._has_new_secret and _may_be_kept(self._target)

    def give_secret(self, secret: Secret) -> None:
        """Use it from now on. Save the settings first where it is for another broker."""
        self._choice.give_secret(secret)
        self._has_new_secret = True
        self.wake()

    def publish(self, message: OutgoingMessage) -> Future[Receipt]:
        """Hand a message to the present session. Any thread. Raises `EnvironmentProblem` publish.not-connected."""
        with self._lock:
            feed = self._feed if self._connected else None
        if feed is None:
            raise trouble("publish.not-connected")
        return feed.session.publish(message.topic, message.payload, message.qos, message.retain, message.properties)

    def look(self) -> None:
        """Call about every second: keeps our own broker and the agent of this computer alive."""
        if self._ever_connected and not self._remembered:
            self._remembered = True
            self._choice.remember_given()
        if self._target is not Own.BROKER or self._feed is None:
            return
        try:
            if self._broker.keep():
                self._start_agent()  # it shows the broker's process, which is another one now
            self._agent.keep()
        except OSError as error:  # tried again, each time later; recording what still comes matters more
            _LOG.warning("a child could not be started again: %s", error)

    def lives(self) -> bool:
        """Does the network thread take its turns? While it looks for a name, one turn may take long."""
        feed = self._feed
        if feed is None:
            return True
        if not feed.session.alive:
            return False
        limit_us = TURN_US if self._connected else LOOKING_UP_US
        return self._clock.monotonic_us() - feed.session.heartbeat_us < limit_us

    def begin_again(self) -> None:
        """Leave a network thread that died or hangs to itself, and go on with another one."""
        feed, connection = self._feed, self.connection
        if feed is None or connection is None:
            return
        with self._lock:
            self._told, self._feed = None, None
            if self._connected:
                self._connected = False
                self._listener.link_down(Instant.now(self._clock))
        self._use_feed(connection, again=True)

    def stop(self) -> None:
        """End our children, once the session is closed."""
        self._agent.stop()
        self._broker.stop()

    def _open(self, target: Connection | Own | None) -> None:
        if self._target is Own.BROKER and target is not Own.BROKER:
            self.stop()
        with self._lock:
            self._target, self._own_problem, self._told, self._feed = target, None, None, None
            self._looking, self._unread = False, None
            self._opened_us = self._clock.wall_us()
            if self._connected:
                self._connected = False
                self._listener.link_down(Instant.now(self._clock))
        connection, secret = None, self._choice.secret
        self._has_new_secret = False
        if target is Own.BROKER:
            try:
                access = self._broker.start()
                connection, secret = access.connection, access.secret
            except EnvironmentProblem as error:
                self._own_problem = error.problem
        elif target is not None:
            connection = target
        if connection is None:
            self._listener.leave()
        elif secret is None and _may_be_kept(connection):
            self._looking = True
            self._listener.leave()
            self._find_secret(connection, lambda found, problem: self._found(connection, found, problem))
        else:
            self._connect(connection, secret)

    def _found(self, connection: Connection, secret: Secret | None, problem: Problem | None) -> None:
        if not self._looking or self._target != connection:
            return  # another broker was chosen, or somebody gave the password
        if secret is not None:
            self._choice.give_secret(secret)
        self._looking, self._unread = False, problem
        self._connect(connection, secret)

    def _connect(self, connection: Connection, secret: Secret | None) -> None:
        self._secret = secret
        self._use_feed(connection)
        if self._target is Own.BROKER:
            self._start_agent()

    def _use_feed(self, connection: Connection, *, again: bool = False) -> None:
        feed = self._make_feed(connection, self._secret, lambda state: self._hear(feed, state), again=again)
        with self._lock:
            self._feed = feed
        self._listener.use(feed)

    def _start_agent(self) -> None:
        try:
            self._agent.start(self._broker.access, {"broker": self._broker.pid, "recorder": os.getpid()})
        except OSError as error:
            _LOG.warning("nobody could be started to talk to our own broker: %s", error)

    def _hear(self, feed: Feed, state: LinkState) -> None:
        """Network thread. A session that was replaced has no say any more."""
        with self._lock:
            if feed is not self._feed:
                return
            at = Instant.now(self._clock)
            up = state.link is Link.CONNECTED
            self._told = state
            if up and not self._connected:
                self._ever_connected = True
                self._listener.link_up(at, session_lost=state.session_lost)
            elif self._connected and not up:
                self._listener.link_down(at)
            self._connected = up
        self._on_change()


def _may_be_kept(target: Connection | Own | None) -> bool:
    """Passwords are kept for named users only."""
    return isinstance(target, Connection) and bool(target.user)
