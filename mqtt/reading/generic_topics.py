"""Whose topic is it? Rules for topics that follow no convention we know.

Levels have roles. *Role levels* say what kind of message it is (status, log, metrics, …), *components* what part of an
agent it speaks of (cpu, disk, tasks, …), *namespaces* stand before many agents (fleet, sensors, tele, …). Of the rest:

1. Role levels at the end go; a bare number takes its name from the last level that is left.
2. A level that is the name of an agent that declared itself is the agent.
3. The last level of the rest is the agent if it carries a number of its own (`crawler-1`, `lamp2`), else the last one
   that does; where none does, the one behind `agents`, `workers` and their like, else all levels of the rest but the
   first, joined: `kitchen/plug` of `zigbee2mqtt/kitchen/plug`.
4. Where nothing is left, the last namespace level, or the first level.
5. Levels behind the agent name the metric, without roles and namespaces. UUIDs, long hexadecimal numbers, and numbers
   behind a component (`tasks/1234`) count for nothing, so that a task is no agent and makes no series.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from models.domain.names import SeriesKind
from mqtt.reading.log_levels import LEVEL_WORDS
from mqtt.reading.units import unit_of

LOG_LEVELS = frozenset("log logs logging $log debug console stdout stderr syslog journal".split())
_ROLES = LOG_LEVELS | frozenset(
    "status state $state metrics metric telemetry data value values event events stats statistics info health heartbeat"
    " availability available lwt online presence connection connected alive reading readings report reports measurement"
    " measurements result message messages msg out output attributes json raw all rpc alert alerts alarm alarms notification notifications".split()
)
_NAMESPACES = frozenset(
    "agents agent fleet fleets sensors sensor binary_sensor device devices node nodes robots robot workers worker hosts"
    " clients services service bots bot machines machine tele stat cmnd telegraf glances collectd homie iot mqtt prod"
    " production staging dev test public v1 v2 v3 api esp esp32 esp8266 arduino rooms".split()
)
_OF_AGENTS = frozenset("agent agents worker workers robot robots bot bots".split())
_OF_THINGS = _OF_AGENTS | frozenset(
    "device devices node nodes sensor sensors thing things machine machines host hosts".split()
)
_LOCATION = re.compile(
    r"(floor|level|room|zone|building|hall|area|bay|rack|row|aisle|section|shelf|region)[-_]?\d+",
    re.IGNORECASE,
)
_OF_WORK = frozenset("task tasks job jobs session sessions run runs request requests".split())
_OF_DEVICE = frozenset(
    "sensor sensors actuator actuators binary_sensor relay relays channel channels switch switches".split()
)
_COMPONENTS = frozenset(
    "cpu cpus core cores gpu mem memory memswap swap ram heap disk disks diskio fs df filesystem net network interface"
    " wifi load system sys host process processes processcount proc uptime battery power temperature humidity thermal"
    " queue queues task tasks job jobs request requests session sessions run runs http api db database cache broker"
    " llm model tokens usage limits config connections errors counters timers custom gps gnss position pose odom odometry imu lidar"
    " attitude orientation diagnostics".split()
)
_OF_AGENT = LOG_LEVELS | frozenset("status heartbeat lwt availability presence health".split())
OF_STATUS = ("_status", "-status")
NOBODY = "me"
"""Stands for whoever publishes, in a topic that all do."""
_COUNTED = frozenset(("available", "online", "connected", "alive"))
"""Roles where a word stands on the topic, and a figure's name where a number does."""
_RESOURCES = frozenset("cpu percpu mem memory memswap swap load uptime".split())
_EPHEMERAL = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(0x)?[0-9a-f]{16,}|[0-9A-HJKMNP-TV-Z]{26}"
    r"|(rpc|req|request|reply|call|tmp|session|sess|conn|mqttjs|mqttx|paho|auto|anon|mosq)[-_:.](?=\w*\d)([0-9a-f]{6,}|\w{10,})",
    re.IGNORECASE,
)
_NUMERIC = re.compile(r"\d+")
_PART = re.compile(
    r"[a-z_]+:\d{1,2}|(bm[ep]\d{3}|dht\d\d|ds18[bs]20|am23\d\d|sht\dx|sht\d\d|si70\d\d|bh1750|ccs811|scd\d\d|mh-?z\d\d|pms\d{4}|sds0\d\d"
    r"|ina\d{3}|mpu\d{4}|htu\d\d|aht\d\d|tsl\d{4}|hx711|max6675|vl53l0x)([-_]\d)?"
)
"""One of several alike in a device (`switch:0`), or a sensor's chip (`bme280`)."""
_OWN_NUMBER = re.compile(r"(?=.*[^\W\d_]).*(\d|[-_.:][^\W_]*\d[^\W_]*)|(?=.*\d)[0-9A-Fa-f]{12}")  # or a MAC
LONGEST_AGENT = 128
_AGENT_IDS = ("agentId", "agent_id")
AGENT_KEYS = ("agent", *_AGENT_IDS)


def levels_of(topic: bytes) -> list[str]:
    """Its levels as text; what is no UTF-8 is replaced."""
    return topic.decode("utf-8", "replace").split("/")


class Place(NamedTuple):
    """Agent and path of the metrics below it. `sure`: a better guess than the payload's `name` or `host`; `fixed`: it
    stands below our prefix, and no key of the payload names another; `lodges`: only because of what lies beside it."""

    agent: str
    path: str
    sure: bool
    fixed: bool = False
    lodges: bool = False


def place(levels: list[str], bare: bool, declared: Callable[[str], bool]) -> Place:
    """Read a topic; `bare`: its payload is a number, so that its last level is the name of that."""
    levels = [
        level for level in levels if level and "=" not in level and (level[0] != "$" or level.casefold() in _ROLES)
    ] or ["?"]  # Azure puts properties of a message behind its topic
    end = len(levels)
    if not LOG_LEVELS.isdisjoint(level.casefold() for level in levels[:-1]):  # logs/orders/error
        while end > 1 and len(levels[end - 1]) > 1 and levels[end - 1].casefold() in LEVEL_WORDS:
            end -= 1
    while end > 1 and is_role(levels[end - 1]) and not (bare and levels[end - 1].casefold() in _COUNTED):
        end -= 1
    last_role = levels[end] if end < len(levels) else ""
    head, metric = levels[:end], ""
    if bare:
        head, metric = levels[: end - 1], levels[end - 1]
        of_agent = last_role.casefold() in _OF_AGENT and is_numbered(metric) and is_name(metric)  # p/a12/status
        if last_role and (of_agent or not any(map(is_name, head))):
            head, metric = levels[:end], last_role
        elif not head:
            head, metric = [metric], "value"
    at, agent, sure = _agent(head, declared)
    parts = [level for level in head[at + 1 :] if not _counts_for_nothing(level)]
    parts = [level for i, level in enumerate(parts) if not (i and _is_passing_part(parts[i - 1], level))]
    return Place(agent[:LONGEST_AGENT], ".".join([*parts, metric] if metric else parts), sure)


def _is_passing_part(before: str, level: str) -> bool:
    """Whether a level is one of many behind a component: a number, or what bears one behind a word for work."""
    if _NUMERIC.fullmatch(level):
        return _is_component(before)
    return before.casefold() in _OF_WORK and is_numbered(level)


def home_by_resources(levels: list[str]) -> tuple[int, str] | None:
    """A topic of a computer's resources (`…/web-host/cpu/user`) shows where the computer's topics begin: the number of
    levels, and the agent. A lone first level without a number of its own may be a namespace, and shows nothing."""
    for i in range(1, len(levels)):
        if levels[i].casefold() in _RESOURCES and is_name(levels[i - 1]):
            found = place(levels, True, lambda _: False)
            if found.sure and found.agent.rpartition("/")[2] == levels[i - 1]:
                return (i, found.agent) if i > 1 or _OWN_NUMBER.fullmatch(levels[0]) else None
    return None


def place_below(levels: list[str], bare: bool) -> str:
    """The metric path of levels below a known agent."""
    parts = [level for level in levels if level and level[0] != "$"]
    kept = [level for level in parts if not _counts_for_nothing(level)]
    if bare and parts and parts[-1].casefold() in _COUNTED:
        kept.append(parts[-1])
    if bare and not kept:
        return parts[-1] if parts else "value"
    return ".".join(kept)


def is_role(level: str) -> bool:
    """Whether a level only says what kind of message it is."""
    folded = level.casefold()
    return folded.removeprefix("is_") in _ROLES or folded.endswith(OF_STATUS)


def announces(level: str) -> bool:
    """Whether a level says that the name of somebody follows."""
    folded = level.casefold()
    return folded in _NAMESPACES or folded == "host"


def is_numbered(name: str) -> bool:
    """Whether a name carries a number of its own, as those of agents do: `crawler-1`, `lamp2`."""
    return _OWN_NUMBER.fullmatch(name) is not None


@lru_cache(4_096)
def is_name(level: str) -> bool:
    """Whether a level may be what an agent is called: no role, no part of an agent, nothing that stands before many."""
    folded = level.casefold()
    return folded not in _NAMESPACES and not is_role(level) and not _is_component(level)


def names_agent(text: str) -> bool:
    """Whether a payload's text can be an agent's name: short, printable, no part of an agent, no passing id."""
    return is_id(text) and _names_somebody(text)


@lru_cache(4_096)
def _names_somebody(text: str) -> bool:
    return not _is_component(text) and not _EPHEMERAL.fullmatch(text)


def names_measure(text: str) -> bool:
    """Whether a name is that of figures, by a unit at its end or as a counter: `http_requests_total`."""
    unit, kind = unit_of(text)
    return bool(unit) or kind is SeriesKind.COUNTER


def is_passing(name: str) -> bool:
    """Whether a name is made anew each time: a UUID, a long hexadecimal number."""
    return _EPHEMERAL.fullmatch(name) is not None


def agent_in(body: dict[str, Any], keys: tuple[str, ...] = AGENT_KEYS) -> tuple[str | None, str | None]:
    """Key and value of the first of `keys` that names an agent. One that says it is an agent's id is believed as it
    stands: a number, a UUID."""
    for key in keys:
        value = body.get(key)
        if key in _AGENT_IDS:
            if type(value) is int and value >= 0:
                return key, str(value)[:LONGEST_AGENT]
            if isinstance(value, str) and is_id(value):
                return key, value
        elif isinstance(value, str) and names_agent(value):
            return key, value
    return None, None


def agent_within(body: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    """As `agent_in`, where an object stands under the key, with an id or a name of its own: `{"device": {"id": "pump-1"}}`."""
    for key in keys:
        inner = body.get(key)
        if isinstance(inner, dict):
            for one in ("id", "name"):
                if isinstance(told := inner.get(one), str) and names_agent(told):
                    return told
    return None


def is_id(text: str) -> bool:
    """Whether a text can be what somebody is called: short and printable."""
    return 0 < len(text) <= LONGEST_AGENT and text.isprintable() and not text.isspace()


def _agent(head: list[str], declared: Callable[[str], bool]) -> tuple[int, str, bool]:
    """Position and name of the agent among the levels, and whether that is sure."""
    for i in reversed(range(len(head))):
        if declared(head[i]):
            return i, head[i], True
    candidates = [
        i for i, level in enumerate(head)
        if is_name(level) and not (_NUMERIC.fullmatch(level) and i and _is_component(head[i - 1]))
    ]  # fmt: skip
    lasting = [
        i for i in candidates if not _EPHEMERAL.fullmatch(head[i]) or (i and head[i - 1].casefold() in _OF_THINGS)
    ]
    if candidates and (not lasting or lasting == [0]) and candidates[-1] != 0 and not _numbered(head, lasting):
        return candidates[-1], head[candidates[-1]], True  # below a root alone, an id is a device
    if not lasting:
        folded = [i for i, level in enumerate(head) if level.casefold() in _NAMESPACES]
        at = folded[-1] if folded else 0
        return at, head[at], False
    numbered = [i for i in lasting if _OWN_NUMBER.fullmatch(head[i])]
    while len(numbered) > 1 and head[numbered[-1] - 1].casefold() in _OF_DEVICE | _OF_WORK:
        numbered.pop()  # device/pump-1/sensors/dht1, worker-1/tasks/t1
    while numbered and numbered[-1] < lasting[-1] and _LOCATION.fullmatch(head[numbered[-1]]):
        numbered.pop()  # floor1/kitchen/fridge
    if numbered:
        return numbered[-1], head[numbered[-1]], True
    for i in lasting:
        if i and head[i - 1].casefold() in _OF_AGENTS:
            return i, head[i], True
    joined = lasting[1:] or lasting
    while len(joined) > 2 and _NUMERIC.fullmatch(head[joined[-1]]) and _NUMERIC.fullmatch(head[joined[-2]]):
        joined = joined[:-2]  # lamp/38/0
    return joined[-1], "/".join(head[i] for i in joined), joined[-1] > 0


def _numbered(head: list[str], positions: list[int]) -> bool:
    return any(_OWN_NUMBER.fullmatch(head[i]) for i in positions)


def _is_component(level: str) -> bool:
    folded = level.casefold()
    if folded in _COMPONENTS or folded.partition("-")[0] in {"df", "interface", "processes", "cpu", "disk"}:
        return True
    return _PART.fullmatch(folded) is not None


def _counts_for_nothing(level: str) -> bool:
    return is_role(level) or level.casefold() in _NAMESPACES or _EPHEMERAL.fullmatch(level) is not None
