"""One connection to the broker, from CONNECT to its end: acknowledgements, subscriptions, backlog, publications."""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from paho.mqtt.subscribeoptions import SubscribeOptions

from models.domain.arrivals import Journal, Source
from models.domain.clock import Clock
from models.domain.connection import Connection, Protocol
from models.domain.masking import Masking
from models.domain.problems import Problem
from mqtt import refusals
from mqtt.acknowledging import Acknowledging
from mqtt.inbox import Inbox
from mqtt.outgoing import Outgoing, Publication
from mqtt.probe import Probe
from mqtt.receiving import Receiver
from mqtt.retained_states import KnownStates, RetainedStates
from mqtt.subscriptions import Subscriptions
from mqtt.wire import Wire

if TYPE_CHECKING:
    from paho.mqtt.client import ConnectFlags, DisconnectFlags
    from paho.mqtt.properties import Properties as PahoProperties
    from paho.mqtt.reasoncodes import ReasonCode

TURN_S = 0.25
GOODBYE_LIMIT_S = 2.0
_ANSWER_LIMIT_US = refusals.ANSWER_LIMIT_S * 1_000_000
_ACKNOWLEDGEMENTS_PER_TURN = 2_000
_KEEPALIVE_TIMEOUT = 0x8D
_log = logging.getLogger(__name__)


class LinkEnd(NamedTuple):
    """How a connection, or the attempt to make one, ended."""

    problem: Problem | None  # None: we wanted it
    answered: bool = False  # the broker sent a CONNACK, with whatever reason, in a version that it speaks
    turned_away: bool = False  # it refused the version, or hung up instead of CONNACK
    up_us: int | None = None  # how long we were subscribed; None: never
    hung_up: bool = False  # after CONNACK, by the broker, without a word
    session_present: bool = False
    malformed: bool = False  # it sent what is not MQTT
    renews: bool = False  # the next connection shall take the session over from this one, which is still open
    nobody: bool = False  # there was no name, no way or no open port: nobody was troubled by the attempt


class Link:
    """Runs once, in the network thread. `acknowledge` and `publish` are for any thread.

    `on_connack(session_present)` and `on_up(link)` tell the owner, from the network thread. `owed`: as `Receiver` has it; goes
    from link to link. `journal`: keeps what comes in bulk. `known_states`: what is asked for by name where the broker hands no
    retained messages to wildcards.
    """

    def __init__(
        self,
        wire: Wire,
        connection: Connection,
        client_id: str,
        inbox: Inbox,
        clock: Clock,
        window: int | None,
        on_connack: Callable[[bool], None],
        on_up: Callable[["Link"], None],
        owed: set[int],
        journal: Journal | None,
        masking: Masking | None,
        known_states: KnownStates | None = None,
    ) -> None:
        self.epoch = 0  # none before CONNACK
        self.session_present = False
        self.window = window
        self.up_since_us: int | None = None  # monotonic
        self._wire, self._connection, self._inbox, self._clock = wire, connection, inbox, clock
        self._on_connack, self._on_up = on_connack, on_up
        self._probe = Probe(client_id, clock)
        self._subscriptions = Subscriptions(connection, self._probe.topic)
        self._receiver: Receiver | None = None
        self._outgoing = Outgoing(wire.client, properties=wire.version is Protocol.MQTT_5)
        source = Source(connection.url, client_id, wire.version is Protocol.MQTT_5)
        self._acknowledging = Acknowledging(journal, source, window)
        self._answer_by_us: int | None = clock.monotonic_us() + _ANSWER_LIMIT_US
        self._answered = False
        self._owed, self._masking = owed, masking
        self._known_states = known_states
        self._states: RetainedStates | None = None
        self._refusal: tuple[int, str] | None = None
        self._closed: tuple[bool, int, str] | None = None  # by the broker's DISCONNECT?, reason code, its text
        client = wire.client
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_subscribe, client.on_publish = self._subscribed, self._outgoing.on_publish

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return self._subscriptions.warnings()

    @property
    def version(self) -> Protocol:
        return self._wire.version

    @property
    def in_bulk(self) -> bool:
        """Are messages taken out of the bytes many at a time, not brought by paho?"""
        return self._wire.demux is not None

    @property
    def keeps_session(self) -> bool:
        """Does the broker keep our session beyond this connection?"""
        return self._connection.session_expiry_s > 0 or self.version is Protocol.MQTT_311

    # ---- any thread

    def acknowledge(self, messages: Sequence[tuple[int, int]]) -> None:
        """(packet id, QoS) of this connection's messages, in the order of their arrival."""
        self._acknowledging.stored(messages)

    def publish(self, publication: Publication) -> None:
        self._outgoing.put(publication)

    # ---- network thread

    def run(self, goes_on: Callable[[], bool]) -> LinkEnd:
        """Connect, serve until the end, and say how it ended. `goes_on` is asked in every turn.

        The connection is closed then, unless `renews`. An exception that leaves this is a bug of ours; it is closed then, too.
        """
        end: LinkEnd | None = None
        try:
            end = self._open() or self._serve(goes_on)
            return end
        finally:
            if end is None or not end.renews:
                self.close()
            self._collect()

    def close(self) -> None:
        """Hang up without a word."""
        self._wire.close()

    def abandon(self) -> None:
        """After `run`, when nobody can publish here any more: what was not answered never will be."""
        self._outgoing.fail(refusals.lost(self._connection, "it broke before the broker answered"))

    def _open(self) -> LinkEnd | None:
        try:
            self._wire.open()
        except Exception as error:
            problem = refusals.problem_of(error, self._connection)
            if problem is None:
                raise
            return LinkEnd(problem, nobody=refusals.reached_nobody(error))
        return None

    def _serve(self, goes_on: Callable[[], bool]) -> LinkEnd:
        while self._wire.is_open:
            if not goes_on():
                return self._leave()
            if self._receiver is not None and self._receiver.forgets and not self._inbox.full:
                return self._renew()
            self._wire.turn(TURN_S, self._read)
            self._collect()
            self._write(_ACKNOWLEDGEMENTS_PER_TURN)
            self._look_for_owed()
            self._look_for_states()
            if self._answer_by_us is not None and self._clock.monotonic_us() >= self._answer_by_us:
                return LinkEnd(refusals.no_answer(self._connection), self._answered)
            if self._answered and self._answer_by_us is None and (nothing := self._subscriptions.nothing_granted()):
                self._wire.goodbye(GOODBYE_LIMIT_S)
                return LinkEnd(nothing, answered=True)
        return self._why_closed()

    def _renew(self) -> LinkEnd:
        """All that waited is stored, and there is room for what was forgotten. The next connection begins before this one
        ends: for a client that is away, a broker keeps far less."""
        self._write()
        self._wire.turn(0, self._read)
        return LinkEnd(None, self._answered, up_us=self._up_us(), renews=True)

    def _look_for_owed(self) -> None:
        """Of much that is owed, one connection may bring a part only: what Mosquitto cannot write at once, it throws away
        beyond a thousand packets, counts as sent, and sends with the next. So once its queue came to an end, another one is
        wanted, as long as each brings something."""
        receiver = self._receiver
        if not self._owed or receiver is None or receiver.forgets or self.up_since_us is None or self._probe.backlog:
            return
        if receiver.came_again:
            receiver.forgets = True
            self._inbox.fill()
        else:
            _log.warning("the broker does not send %d messages again that found no room before", len(self._owed))
            self._owed.clear()

    def _look_for_states(self) -> None:
        states, receiver = self._states, self._receiver
        if states is None or states.begun or receiver is None:
            return
        if receiver.replayed:
            self._states = None  # the broker tells by itself
        elif states.begins(self._clock.monotonic_us(), self._subscriptions.granted):
            receiver.awaits_replay = False
            self._step_states(states)

    def _step_states(self, states: RetainedStates) -> None:
        leaves, asks = states.step()
        if leaves:
            self._wire.client.unsubscribe(leaves)
        if asks:
            self._subscribe(asks)
        else:
            self._states = None

    def _leave(self) -> LinkEnd:
        self._write()
        self._wire.goodbye(GOODBYE_LIMIT_S)
        return LinkEnd(None, self._answered, up_us=self._up_us())

    def _read(self) -> None:
        if self._receiver is None:
            self._wire.client.loop_read()
        else:
            self._wire.read(self._receiver)

    def _collect(self) -> None:
        """Give the inbox what came."""
        if self._receiver is not None:
            self._receiver.flush()

    def _write(self, limit: int | None = None) -> None:
        """Hand acknowledgements and publications over to be written."""
        due = self._acknowledging.due()
        if due and self._wire.is_open:
            self._wire.acknowledge(due, len(due) if limit is None else limit)
        self._outgoing.write()

    # ---- paho's callbacks, network thread

    def _connected(
        self, _client: object, _userdata: object, flags: "ConnectFlags", reason: "ReasonCode",
        properties: "PahoProperties | None",
    ) -> None:  # fmt: skip
        if reason.is_failure:
            self._refusal = (reason.value, str(reason))
            return
        self._answered = True
        self.session_present = flags.session_present
        self._outgoing.highest_qos = min(1, getattr(properties, "MaximumQoS", 1))
        self.epoch = self._inbox.begin_epoch(self.window)
        if self.session_present:
            self._probe.begin()
        else:
            self._owed.clear()
        owed = self._owed if self.keeps_session else None
        version_5 = self.version is Protocol.MQTT_5
        self._receiver = Receiver(
            self._inbox, self._clock, self.epoch, self._probe, self._acknowledging, owed, version_5=version_5,
            masking=self._masking,
        )  # fmt: skip
        self._receiver.awaits_replay = self._known_states is not None and not self.session_present
        self._wire.begin(self._receiver)
        self._on_connack(self.session_present)
        self._ask(self._subscriptions.first())

    def _ask(self, filters: Sequence[str]) -> None:
        self._answer_by_us = self._clock.monotonic_us() + _ANSWER_LIMIT_US
        self._subscribe(filters)

    def _subscribe(self, filters: Sequence[str]) -> None:
        if self.version is Protocol.MQTT_5:
            self._wire.client.subscribe([(one, _options(one)) for one in filters])
        else:
            self._wire.client.subscribe([(one, 1) for one in filters])

    def _subscribed(
        self, _client: object, _userdata: object, _mid: int, reasons: "list[ReasonCode]", _properties: object
    ) -> None:
        if self.up_since_us is not None:
            if self._states is not None:
                self._step_states(self._states)
            return
        further = self._subscriptions.answered([(one.value, str(one)) for one in reasons])
        if further:
            self._ask(further)
            return
        self._answer_by_us = None
        if self._subscriptions.nothing_granted():
            return
        if self._probe.backlog:
            self._outgoing.put(Publication(self._probe.topic, self._probe.payload))
        self.up_since_us = self._clock.monotonic_us()
        if self._known_states is not None and not self.session_present:
            self._states = RetainedStates(self._known_states, self.up_since_us)
        self._on_up(self)

    def _disconnected(
        self, _client: object, _userdata: object, flags: "DisconnectFlags", reason: "ReasonCode", _properties: object
    ) -> None:
        if self._closed is None:  # paho calls twice when the broker does not answer a ping
            self._closed = (flags.is_disconnect_packet_from_server, reason.value, str(reason))

    # ---- how it ended

    def _up_us(self) -> int | None:
        return None if self.up_since_us is None else self._clock.monotonic_us() - self.up_since_us

    def _why_closed(self) -> LinkEnd:
        connection = self._connection
        if self._refusal is not None:
            code, text = self._refusal
            problem = refusals.connack_problem(code, text, connection)
            version = code == refusals.UNSUPPORTED_VERSION
            return LinkEnd(problem, answered=not version, turned_away=version)
        fault = self._wire.fault
        if not self._answered:
            told = refusals.problem_of(fault, connection) if fault and refusals.says_why(fault) else None
            return LinkEnd(told or refusals.hung_up(connection), turned_away=told is None)
        by_broker, code, text = self._closed or (False, 0, "")
        if by_broker:
            return LinkEnd(refusals.disconnect_problem(code, text, connection), answered=True, up_us=self._up_us())
        if code == _KEEPALIVE_TIMEOUT:
            detail = f"no answer for {2 * connection.keepalive_s} s"
        elif self._wire.malformed:
            detail = f"it sent what is not MQTT ({self._wire.malformed})"
        elif code == refusals.PROTOCOL_ERROR:
            detail = "it sent what is not MQTT"
        else:
            detail = refusals.reason_text(fault) if fault else "it hung up"
        malformed = bool(self._wire.malformed) or code == refusals.PROTOCOL_ERROR
        hung_up = not malformed and code != _KEEPALIVE_TIMEOUT
        problem = refusals.lost(connection, detail)
        return LinkEnd(problem, True, False, self._up_us(), hung_up, self.session_present, malformed)


def _options(topic_filter: str) -> SubscribeOptions:
    """Retained messages once for each session; the broker's own figures each time, as some changed while we were gone."""
    own = topic_filter.startswith("$SYS/")
    when = SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE if own else SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
    return SubscribeOptions(qos=1, retainAsPublished=False, retainHandling=when)
