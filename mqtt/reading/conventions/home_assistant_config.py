"""What discovery messages of Home Assistant say, their short keys written out: `<prefix>/<component>/[<node>/]<object>/config`
tells of one entity, `<prefix>/device/<object>/config` of a whole device."""

from collections.abc import Iterator
from typing import Any, NamedTuple

MOST_ENTITIES = 1_000
"""Of one message."""
MOST_AVAILABILITIES = 64
"""Of one entity. All of a device's may share what stands there once: it counts a thousand times."""
LONGEST_NAME, LONGEST_TOPIC = 200, 1_024
COMPONENTS = frozenset(
    "alarm_control_panel binary_sensor button camera climate cover device device_automation device_tracker event fan humidifier"
    " image lawn_mower light lock notify number scene select sensor siren switch tag text update vacuum valve water_heater"
    .split()
)  # fmt: skip
_LONG = {
    "avty": "availability", "avty_mode": "availability_mode", "avty_t": "availability_topic",
    "avty_tpl": "availability_template", "cmps": "components", "cns": "connections", "def_ent_id": "default_entity_id",
    "dev": "device", "dev_cla": "device_class", "exp_aft": "expire_after", "ids": "identifiers", "mdl": "model",
    "mf": "manufacturer", "obj_id": "object_id", "p": "platform", "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available", "sa": "suggested_area", "stat_cla": "state_class", "stat_t": "state_topic",
    "sw": "sw_version", "t": "topic", "uniq_id": "unique_id", "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}  # fmt: skip
_SHARED = frozenset(
    "availability availability_mode availability_topic availability_template payload_available payload_not_available"
    " state_topic ~".split()
)


class Device(NamedTuple):
    """What the message says of the device; texts are empty where it says nothing."""

    ids: tuple[str, ...]
    name: str
    area: str
    version: str


class Config(NamedTuple):
    """One entity. `object` is its level of the topic, or its key within the device; keys of `told` are long, and topics whole."""

    component: str
    object: str
    told: dict[str, Any]


def is_config(levels: list[str]) -> bool:
    """Whether this is where discovery messages stand, whatever their prefix."""
    n = len(levels)
    return levels[-1] == "config" and ((n > 3 and levels[-3] in COMPONENTS) or (n > 4 and levels[-4] in COMPONENTS))


def written_out(told: dict[str, Any]) -> dict[str, Any]:
    """With long keys."""
    return {_LONG.get(key, key): value for key, value in told.items()}


def read_device(told: dict[str, Any]) -> Device:
    """The device that a message names; all empty where it names none."""
    device = told.get("device")
    device = written_out(device) if isinstance(device, dict) else {}
    ids = [text for text in map(text_of, as_list(device.get("identifiers"))) if text]
    pairs = [pair for pair in as_list(device.get("connections")) if isinstance(pair, list) and len(pair) == 2]
    ids += [text_of(pair[1]) for pair in pairs if text_of(pair[1])]
    return Device(
        tuple(ids[:16]), text_of(device.get("name")), text_of(device.get("suggested_area")),
        text_of(device.get("sw_version")),
    )  # fmt: skip


def read_configs(levels: list[str], told: dict[str, Any]) -> list[Config]:
    """The entities of a message with long keys."""
    at = -3 if levels[-3] in COMPONENTS else -4
    component, object_ = levels[at], levels[-2]
    if component != "device":
        return [Config(component, object_, dict(_with_topics(told, told.get("~"))))]
    found = []
    shared = {key: value for key, value in told.items() if key in _SHARED}
    shared_topics = dict(_with_topics(shared, shared.get("~")))  # once: a thousand entities may share it
    components = told.get("components")
    for key, one in list(components.items())[:MOST_ENTITIES] if isinstance(components, dict) else ():
        one = written_out(one) if isinstance(one, dict) else {}  # noqa: PLW2901 - as it is meant
        platform = text_of(one.get("platform"))
        if platform and len(one) > 1:  # a platform alone takes it back
            own = {**shared, **one} if "~" in one else one
            found.append(
                Config(platform, key, {**shared_topics, **dict(_with_topics(own, own.get("~", shared.get("~"))))})
            )
    return found


def topic_of(value: object, base: object = None) -> str:
    """A topic to listen to, `~` replaced by the base; empty where it is none."""
    text = value if isinstance(value, str) else ""
    if isinstance(base, str) and text[:1] == "~":
        text = base + text[1:]
    elif isinstance(base, str) and text[-1:] == "~":
        text = text[:-1] + base
    usable = 0 < len(text) <= LONGEST_TOPIC and not any(sign in text for sign in "#+\0")
    return text if usable else ""


def text_of(value: object) -> str:
    """A short text, or a number as one; else empty."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 1 << 63 else ""
    return value.strip()[:LONGEST_NAME] if isinstance(value, str) and value.isprintable() else ""


def as_list(value: object) -> list[Any]:
    """One thing, or a list of them."""
    return value[:MOST_ENTITIES] if isinstance(value, list) else [] if value is None else [value]


def is_topic_key(key: str) -> bool:
    """Of long and short keys alike; what has no long name here is told by its ending."""
    return key == "topic" or key.endswith(("_topic", "_t"))


def is_command_key(key: str) -> bool:
    """A topic that others write to."""
    return "cmd" in key or "command" in key or key.startswith("set_")


def _with_topics(told: dict[str, Any], base: object) -> Iterator[tuple[str, Any]]:
    for key, value in told.items():
        if is_topic_key(key):
            yield key, topic_of(value, base)
        elif key == "availability":
            yield (
                key,
                [_availability(one, base) for one in as_list(value)[:MOST_AVAILABILITIES] if isinstance(one, dict)],
            )
        else:
            yield key, value


def _availability(told: dict[str, Any], base: object) -> dict[str, Any]:
    told = written_out(told)
    return {**told, "topic": topic_of(told.get("topic"), base)}
