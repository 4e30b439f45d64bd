"""Home-made payloads on any topic: JSON with figures, bare numbers, presence words, log records. Knows no program by name."""

import math
from array import array
from typing import Any

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.presence_words import Cause, Condition, Presence, read_status_word
from models.domain.timestamps import read_time
from mqtt.reading.contract_work import put_log
from mqtt.reading.decode import FAILURES, strip, unpacked
from mqtt.reading.generic_numbers import (
    NESTED_IDS,
    TIME_KEYS,
    TimedValues,
    drop_moments,
    flatten,
    read_number,
    read_timed,
    time_in,
)  # fmt: skip
from mqtt.reading.generic_topics import (
    LOG_LEVELS,
    NOBODY,
    Place,
    levels_of,
    names_agent,
    place_below,
)  # fmt: skip
from mqtt.reading.home_made_talk import HomeMadeTalk, talk_keys
from mqtt.reading.home_made_tasks import TASK_KEYS
from mqtt.reading.log_levels import LEVEL_WORDS
from mqtt.reading.log_lines import read_line
from mqtt.reading.log_shapes import TELL_TALE, LogRecord, read_log
from mqtt.reading.object_shapes import ObjectShape
from mqtt.reading.payload_agents import STRONG_KEYS, WEAK_KEYS, agent_logging, agent_told
from mqtt.reading.plain_texts import holds_nothing, is_picture
from mqtt.reading.plan import Figure, Sink, Unread
from mqtt.reading.presence_told import (
    DECLARED,
    SWITCHES,
    Word,
    is_beat,
    may_beat,
    presence_level,
    tells_presence,
    weight,
    words_of,
)
from mqtt.reading.shapes import STEADY
from mqtt.reading.single_figures import DESCRIBING, VALUE_KEYS, gathered, place_of_single, single, written
from mqtt.reading.units import Scales, scaled, scales_of, unit_of

SOURCE = "generic"
MOST_SERIES_OF_TOPIC = 200
_NO_FIGURES = frozenset(
    ("boot", "seq", "id", "pid", "ts", "timestamp", "@timestamp", "Timestamp", "version", "serial", *STRONG_KEYS)
)
NO_VALUE = frozenset(("nan", "inf", "-inf", "none", "null", "unknown", "unavailable", "undefined", "n/a"))


class GenericPlan:
    """One topic. An agent is made only when something was read of it."""

    kind = Kind.OTHER
    no_figures = _NO_FIGURES
    reads_texts = True
    __slots__ = ("_bare_place", "_is_log", "_last_agent", "_last_names", "_last_scales", "_last_series", "_last_unit",
                 "_level", "_object_place", "_presence", "_shaped", "_steady", "_talk", "_talk_keys", "_told", "_topic", "_unread",
                 "_value_place", "_varies", "_wanted", "_wants_number", "agent", "topic")  # fmt: skip

    def __init__(
        self, topic: int, name: bytes, levels: list[str], places: tuple[Place, Place], sink: Sink,
        talk: HomeMadeTalk | None = None,
    ) -> None:  # fmt: skip
        self.topic, self._talk, self._talk_keys = topic, talk, talk_keys(levels)
        self._topic = name
        self._object_place, self._bare_place = places
        self.agent = sink.names.known_agent(self._object_place.agent)
        last = levels[-1].casefold()
        self._presence = presence_level(levels)
        self._is_log = not LOG_LEVELS.isdisjoint(level.casefold() for level in levels)
        below_log = not LOG_LEVELS.isdisjoint(level.casefold() for level in levels[:-1])
        self._level = LEVEL_WORDS.get(last) if below_log and len(last) > 1 else None  # $log/warn, logs/orders/warn
        self._varies = False
        self._shaped: ObjectShape | None = None  # for objects like the last ones
        self._steady, self._wanted = 0, STEADY
        self._last_agent = 0  # most topics bring the same names each time; one that varies has a table
        self._last_names: list[str] = []
        self._last_series = array("I")
        self._last_scales: Scales | None = None  # None: there is nothing to scale
        self._last_unit = ""  # that the values told, not their names
        self._value_place: Place | None = None  # of objects with nothing but a value
        self._told: str | None = None
        self._wants_number = False
        self._unread = self.no_figures

    @property
    def places(self) -> tuple[Place, Place]:
        """Whose the topic is taken for: of objects, of bare values."""
        return self._object_place, self._bare_place

    def leave(self, agent: str | None, keys: frozenset[str], *, wants_number: bool) -> None:
        """What a rule says of the messages to come: they are this agent's, where one is given, and the figures under these keys
        are not ours to read. `wants_number`: they should be one, so that a mere word is a failure."""
        self._wants_number = wants_number
        if agent != self._told:
            self._told, self._shaped, self._steady = agent, None, 0
        self._unread |= keys

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if self._shaped is not None and message.properties is None and message.origin is not Origin.REPLAY:
            if self._read_shaped(self._shaped, row, message, sink):
                return
            self._shaped, self._steady, self._wanted = None, 0, min(4 * self._wanted, 1 << 20)
        payload = strip(message.payload)
        if not payload:
            if self._presence is None:
                raise Unread("empty")
            self._say(row, message, sink, (Presence.OFFLINE, Condition.OK), Cause.STATUS, 2)
        elif is_picture(payload):
            return
        elif isinstance(told := unpacked(payload), str):
            self._read_text(row, message, told, sink)
        else:
            met: set[int] = set()
            for one in gathered(told):
                self._read_object(row, message, one, sink)
                met.add(sink.batch.agent[row])
            if len(met) > 1:
                sink.heard(row, sorted(met - {0}))

    def _read_shaped(self, shape: ObjectShape, row: int, message: RawMessage, sink: Sink) -> bool:
        """False where the message is not what was expected: nothing of it was put anywhere."""
        received_us = message.received_us
        try:
            body = shape.decode(message.payload)
        except FAILURES:
            return False
        time_us = received_us if shape.time is None else read_time(shape.time(body), received_us)
        if time_us is None:
            return False
        batch = sink.batch
        batch.agent[row], batch.kind[row] = self._last_agent, Kind.METRICS
        if self._last_scales is None:
            batch.add_samples(row, time_us, self._last_series, shape.figures(body))
        else:
            batch.add_samples(row, time_us, *scaled(self._last_series, shape.figures(body), self._last_scales))
        return True

    def _learn(self, body: dict[str, Any], time_key: str | None, agent: int, sink: Sink) -> None:
        """After a message with the same names as the one before: may the next ones be expected to be like it?"""
        self._steady += 1
        if self._steady < self._wanted or self._is_log or agent != self._last_agent:
            return
        self._steady = 0
        told = STRONG_KEYS if self._object_place.sure else (*STRONG_KEYS, *WEAK_KEYS)
        meant = {
            *(DESCRIBING if len(self._last_names) == 1 else ()),
            *TELL_TALE,
            *self._talk_keys,
            *(() if self._object_place.fixed or self._told else told),
            *(key for key in TIME_KEYS if key != time_key),
        }
        if meant.isdisjoint(body) and not any(map(tells_presence, body)):
            self._shaped = sink.object_shapes.of(body, time_key, self._unread)

    def _read_text(self, row: int, message: RawMessage, text: str, sink: Sink) -> None:
        word = read_status_word(text, self._presence in SWITCHES) if self._presence else None
        if word is not None:
            self._say(row, message, sink, word, *weight(self._presence, word[0]))
            return
        if message.origin is Origin.REPLAY:
            return
        if is_beat(self._presence, text, message):
            self._heard(row, message, sink)
            return
        number = read_number(text)
        if number is not None:
            names, values = [self._bare_place.path], [number[0]]
            if drop_moments(names, values, message.received_us):
                return
            agent = self._agent(row, self._user_agent(message) or self._bare_place.agent, sink)
            self._put(row, agent, message.received_us, names, values, sink, number[1])
            return
        timed = read_timed(text, message.received_us)
        if timed is not None:
            self._put_timed(row, message, timed, sink)
            return
        if text.casefold() in NO_VALUE:
            return  # a reading that is missing: no point, and no failure
        record = read_line(text, message.received_us, certain=self._is_log) if text else None
        if record is None:
            if not self._wants_number and holds_nothing(text, self._topic):
                return
            raise Unread("json" if text[:1] == "[" else "text")
        self._log(row, self._user_agent(message) or self._object_place.agent, message, record, text, sink)

    def _put_timed(self, row: int, message: RawMessage, timed: TimedValues, sink: Sink) -> None:
        """Values behind their time come from reporters of hosts: without a known home the topic is prefix, host, metric."""
        levels, place = levels_of(self._topic), self._bare_place
        if not place.fixed and sink.declarations.home_of(levels) is None and len(levels) > 2:
            place = Place(levels[1], place_below(levels[2:], bare=True), True)
        agent = self._agent(row, self._user_agent(message) or place.agent, sink)
        names = [place.path if len(timed.values) == 1 else f"{place.path}.{i + 1}" for i in range(len(timed.values))]
        known = [(name, value) for name, value in zip(names, timed.values, strict=True) if not math.isnan(value)]
        if known:
            unit = "%" if "percent" in levels[-1].casefold() else ""
            self._put(row, agent, timed.time_us, [name for name, _ in known], [value for _, value in known], sink, unit)

    def _read_object(self, row: int, message: RawMessage, body: dict[str, Any], sink: Sink) -> None:
        if message.origin is not Origin.REPLAY:
            record = read_log(body, message.received_us, needs_level=not self._is_log)
            if record is not None:
                says = self._user_agent(message) or record.agent or agent_logging(body, self._object_place)
                name = says or self._object_place.agent
                self._log(row, name, message, record, body, sink)
                return
        if self._talk is not None and (
            (
                not self._talk_keys.isdisjoint(body)
                and self._talk.take_object(row, message, body, self._presence is not None, sink)
            )
            or self._talk.take_other(row, message, body, sink)
        ):
            return
        words = self._words(body)
        names: list[str] = []
        values: list[float] = []
        figures: dict[str, Any] = {}
        time_key, time_us, steady = None, message.received_us, message.properties is None
        if message.origin is not Origin.REPLAY:
            time_key, time_us = time_in(body, message.received_us)
            figures = {key: one for key, one in body.items() if key not in self._unread and key != time_key}
            flatten(figures, self._object_place.path, names, values, unread=NESTED_IDS)
            steady &= not drop_moments(names, values, message.received_us)
            if self.reads_texts:
                told = len(names)
                written(figures, self._object_place.path, names, values)
                steady &= told == len(names)
        if not words and not names:
            if may_beat(self._presence, message):
                self._heard(row, message, sink, body)
            return  # well-formed, and nothing in it to record
        place, unit = self._object_place, ""
        if len(names) == 1 and names[0].rpartition(".")[2] in VALUE_KEYS.intersection(figures):
            place, names[0], unit = self._single(body)
        agent = self._agent(row, self.agent_name(message, body, place), sink)
        for word, cause, rank in words[:1]:
            sink.batch.kind[row] = Kind.STATUS
            sink.say(row, agent, word, cause, rank)
        if names and self._put(row, agent, time_us, names, values, sink, unit) and steady:
            self._learn(body, time_key, agent, sink)

    def _single(self, body: dict[str, Any]) -> tuple[Place, str, str]:
        """Whose the only figure is, its name, and the unit that is told."""
        metric, unit = single(body)
        if metric:
            path = self._object_place.path
            return self._object_place, f"{path}.{metric}" if path else metric, unit
        place = self._value_place or place_of_single(self._object_place, self._bare_place)
        self._value_place = place
        return place, place.path, unit

    def _heard(self, row: int, message: RawMessage, sink: Sink, body: object = None) -> None:
        """A beat says nothing but that somebody is there."""
        self._agent(row, self.agent_name(message, body), sink)
        sink.batch.kind[row] = Kind.STATUS

    def _words(self, body: dict[str, Any]) -> list[tuple[Word, Cause, int]]:
        """Presence that keys tell. On a topic of another kind a task's state is not its agent's."""
        if self._presence is None and not TASK_KEYS.isdisjoint(body):
            return []
        return words_of(body, self._presence)

    def _say(self, row: int, message: RawMessage, sink: Sink, word: Word, cause: Cause, rank: int) -> None:
        name = self._user_agent(message) or self._object_place.agent
        if self._presence in DECLARED and self._object_place.sure and not self._object_place.lodges:
            self._settle(name, sink)
        sink.batch.kind[row] = Kind.STATUS
        sink.say(row, self._agent(row, name, sink), word, cause, rank)

    def _settle(self, name: str, sink: Sink) -> None:
        last, levels = name.rpartition("/")[2], levels_of(self._topic)
        for i in range(len(levels) - 2, -1, -1):
            if levels[i] == last:
                sink.declarations.settle(tuple(levels[: i + 1]), name)
                return

    def _log(
        self, row: int, name: str, message: RawMessage, record: LogRecord, said: dict[str, Any] | str, sink: Sink
    ) -> None:  # fmt: skip
        if self._level is not None:
            record = record._replace(level=self._level)
        agent = self._agent(row, name, sink)
        sink.batch.kind[row] = Kind.LOG
        put_log(sink, row, agent, message, record, said=said)

    def _put(
        self, row: int, agent: int, time_us: int, names: list[str], values: list[float], sink: Sink, unit: str = ""
    ) -> bool:
        """True where they are the names that came last, in the same unit."""
        sink.batch.kind[row] = Kind.METRICS
        same = agent == self._last_agent and names == self._last_names and unit == self._last_unit
        if same:
            series, scales = self._last_series, self._last_scales
        else:
            self._shaped, self._steady = None, 0
            figures = self._figures(agent, names, unit, sink)
            whole = all(one.series for one in figures)
            if not whole:
                sink.unread(row, "too-many-series")
                values = [value for value, one in zip(values, figures, strict=True) if one.series]
                figures = [one for one in figures if one.series]
            series, scales = array("I", [one.series for one in figures]), scales_of([one.scale for one in figures])
            if whole:
                self._last_agent, self._last_names, self._last_unit = agent, names, unit
                self._last_series, self._last_scales = series, scales
        if series:
            sink.batch.add_samples(
                row, time_us, *((series, values) if scales is None else scaled(series, values, scales))
            )
        return same

    def _figures(self, agent: int, names: list[str], unit: str, sink: Sink) -> list[Figure]:
        """One for each name; without a series where there are too many."""
        if unit:  # told with a value: the same name may come in another
            return [sink.figure(agent, name, unit, unit_of(name)[1], SOURCE) for name in names]
        known = self._known(agent, sink)
        found = []
        for name in names:
            figure = known.get(name)
            if figure is None and len(known) < MOST_SERIES_OF_TOPIC:
                figure = sink.figure(agent, name, *unit_of(name), SOURCE)
                if figure.series:
                    known[name] = figure
            found.append(figure or Figure(0, None))
        if any(not one.series for one in found):
            self._varies = True
            sink.tables.of(self.topic, agent).update(known)
        return found

    def _known(self, agent: int, sink: Sink) -> dict[str, Figure]:
        """The figures of an agent on this topic. The many topics that only ever bring one list of names need no table."""
        if self._last_agent and not self._varies:
            self._varies = True
            if not self._last_unit:
                table = sink.tables.of(self.topic, self._last_agent)
                for name in self._last_names:
                    table[name] = sink.figure(self._last_agent, name, *unit_of(name), SOURCE)
        return sink.tables.of(self.topic, agent) if self._varies else {}

    def _agent(self, row: int, name: str, sink: Sink) -> int:
        """The agent with this name, noted as the message's. The topic's own agent stays with the topic."""
        if name == NOBODY:
            raise Unread("nobody")
        agent = sink.agent(name)
        sink.batch.agent[row] = agent
        if name == self._object_place.agent:
            self.agent = agent
        return agent

    def agent_name(self, message: RawMessage, body: object, place: Place | None = None) -> str:
        """Whose a message with this payload is; `place`: where it belongs unless it says so."""
        place = place or self._object_place
        told = self._user_agent(message)
        if told is None and isinstance(body, dict):
            told = agent_told(body, place)
        return told or place.agent

    def _user_agent(self, message: RawMessage) -> str | None:
        """Agent that a rule or an MQTT 5 user property names."""
        if self._told is None and message.properties is not None:
            for key, value in message.properties.user:
                if key == "agent" and names_agent(value):
                    return value
        return self._told
