"""Which agent a device is that announces itself to Home Assistant.

Its id is the word for it that its own topics use, where that is (part of) one of its identifiers, or its name where those are
but numbers: what is not announced, or comes before it is, belongs to the same agent. Else its id is its first identifier.
"""

import re

from mqtt.reading.conventions.home_assistant_config import Config, Device, is_command_key, is_topic_key
from mqtt.reading.conventions.tasmota import device_of
from mqtt.reading.generic_topics import is_name, is_numbered, place
from mqtt.reading.plan import Sink

MOST_DEVICES = 100_000
_NO_WORD = re.compile(r"[\W_]+")
_OF_MACHINES = re.compile(
    r"\d+|(.*[^a-z0-9])?(0x[0-9a-f]+|(?=[0-9a-f]*\d)[0-9a-f]{6,})([^a-z0-9].*)?|.*([0-9a-f]{2}[:-]){2}[0-9a-f]{2}.*",
    re.IGNORECASE,
)
"""An identifier that nobody gave it: a number, the address of a network card."""
_Home = tuple[str, ...]


class Devices:
    """The agents of all devices heard of. Bounded."""

    def __init__(self) -> None:
        self._agents: dict[str, str] = {}  # by identifier
        self._taken: set[str] = set()

    def agent_of(self, device: Device, configs: list[Config], sink: Sink) -> str:
        """The agent's name, empty where nothing tells whose the message is. What else lies where its topics do is its own."""
        ids = [*device.ids] or ([device.name] if device.name else [])
        known = next((self._agents[one] for one in ids if one in self._agents), None)
        if known is None:
            known = self._new_agent(device, configs, sink)
        if known and len(self._agents) < MOST_DEVICES:
            self._agents.update((one, known) for one in ids)
            self._taken.add(known)
        return known

    def _new_agent(self, device: Device, configs: list[Config], sink: Sink) -> str:
        topics = [
            [*levels] for levels in dict.fromkeys(tuple(levels) for one in configs for levels in _own_topics(one))
        ]
        known = next((one for one in device.ids if sink.names.known_agent(one)), None)
        given = any(not _OF_MACHINES.fullmatch(one) for one in device.ids)
        words = [*device.ids, *([device.name] if device.name else [])]
        spelt_out = (_spelt_out(word, levels) for levels in topics for word in (device.ids if given else words))
        tasmota = (device_of(levels) for one in configs for levels in _told_topics(one))
        # what it was called before a restart it is called again, whichever of a program's devices is heard first now
        akin = (_akin(device.ids, levels, self._taken) for levels in topics if known is None)
        found = next((one for some in (spelt_out, tasmota, akin) for one in some if one is not None), None)
        if found is not None:
            agent, home = found
        elif words:
            agent, home = known or words[0], next(filter(None, (_alike(words, levels) for levels in topics)), ())
            if given and known is None and not home and topics and not any(_tells_availability(one) for one in configs):
                agent, home = self._place_of(topics[0]) or (agent, home)
        elif topics:
            levels = (configs[0].told.get("state_topic") or "/".join(topics[0])).split("/")
            told = sink.declarations.home_of(levels)
            return told[1] if told is not None else place(levels, True, sink.declarations.has).agent
        else:
            return ""
        if home:
            sink.declarations.settle(home, agent)
        return agent

    def _place_of(self, levels: list[str]) -> tuple[str, _Home] | None:
        """Of a device that nothing ties to its topics, and that does not tell where its availability is: what else lies where they
        do is its own, unless that is another's. The topic alone decides, so that it does not matter what comes first."""
        found = place([*levels, "x"], True, lambda _: False)
        free = found.sure and is_numbered(found.agent) and found.agent not in self._taken
        return _spelt_out(found.agent, levels) if free else None


def _tells_availability(config: Config) -> bool:
    return bool(config.told.get("availability_topic") or config.told.get("availability"))


def _own_topics(config: Config) -> list[list[str]]:
    """Levels of those on which the device speaks, its values first. A last one that names a bare value is left out."""
    template = config.told.get("value_template")
    is_object = isinstance(template, str) and "value_json" in template
    return [one if is_object or len(one) < 3 else one[:-1] for one in _told_topics(config)]


def _told_topics(config: Config) -> list[list[str]]:
    told = config.told
    found = [value for key, value in told.items() if is_topic_key(key) and not is_command_key(key) and value]
    found += [one["topic"] for one in told.get("availability", ()) if one["topic"]]
    found.sort(key=lambda topic: topic != told.get("state_topic"))
    return [topic.split("/") for topic in found]


def _spelt_out(word: str, levels: list[str]) -> tuple[str, _Home] | None:
    """The agent and its home where levels are just this word."""
    parts = word.split("/")
    for at in range(len(levels) - len(parts) + 1):
        if levels[at : at + len(parts)] == parts and all(map(is_name, parts)):
            return word, tuple(levels[: at + len(parts)])
    return None


def _akin(ids: tuple[str, ...], levels: list[str], taken: set[str]) -> tuple[str, _Home] | None:
    """As `_spelt_out`, for the last level that is in an identifier, or that an identifier is in: `tasmota_AB12CD` and `AB12CD`.
    Of several devices of a program each has the program's in its own: what one is called already, no other is."""
    for at in range(len(levels) - 1, 0, -1):
        level = levels[at]
        akin = len(level) > 2 and is_name(level) and any(_within(level, id_) or _within(id_, level) for id_ in ids)
        if akin and level not in taken:
            return level, tuple(levels[: at + 1])
    return None


def _within(part: str, whole: str) -> bool:
    return (
        2 < len(part) < len(whole)
        and re.search(rf"(?<![^\W_]){re.escape(part)}(?![^\W_])", whole, re.IGNORECASE) is not None
    )


def _alike(words: list[str], levels: list[str]) -> _Home:
    """The home where the last level stands that is a word but for how it is written."""
    folded = {_NO_WORD.sub("", word).casefold() for word in words} - {""}
    for at in range(len(levels) - 1, 0, -1):
        if is_name(levels[at]) and _NO_WORD.sub("", levels[at]).casefold() in folded:
            return tuple(levels[: at + 1])
    return ()
