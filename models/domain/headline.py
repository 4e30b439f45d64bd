"""Which series stand for an agent in the fleet: its CPU, memory, response time and connection counters.

A name is read as words: scope words in front (`process`, `system`, `metrics` …) say whose figure it is, the rest what it
is. The smallest rank of a role wins: the agent's own process before its host, a total before a part, 100 − idle last.
"""

import json
import re
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

Role = Literal["cpu", "memory", "response", "attempts", "successes", "errors"]
ROLES: tuple[Role, ...] = ("cpu", "memory", "response", "attempts", "successes", "errors")
Number = TypeVar("Number", float, npt.NDArray[np.float64])

BASE_UNITS: dict[str, tuple[str, float]] = {
    "1": ("1", 1.0), "%": ("1", 0.01), "percent": ("1", 0.01),
    "s": ("s", 1.0), "ms": ("s", 1e-3), "us": ("s", 1e-6), "µs": ("s", 1e-6), "ns": ("s", 1e-9), "min": ("s", 60.0),
    "By": ("By", 1.0), "B": ("By", 1.0), "bytes": ("By", 1.0),
    "kBy": ("By", 1e3), "kB": ("By", 1e3), "KB": ("By", 1e3), "MBy": ("By", 1e6), "MB": ("By", 1e6), "GBy": ("By", 1e9),
    "GB": ("By", 1e9), "KiBy": ("By", 1024.0), "KiB": ("By", 1024.0), "MiBy": ("By", 1048576.0),
    "MiB": ("By", 1048576.0), "GiBy": ("By", 1073741824.0), "GiB": ("By", 1073741824.0),
}  # fmt: skip
"""Unit as published: base unit and the factor that brings a value there."""

_OWN = frozenset(("process", "proc", "self", "agent"))
_HOST = frozenset(("system", "sys", "host", "node", "machine", "os"))
_FRAME = frozenset(
    ("metrics", "metric", "stats", "data", "values", "payload", "health", "resources", "telemetry", "perf")
)
_SCOPES = _OWN | _HOST | _FRAME

# What the rest of a name means: role, unit where the name implies one, further steps of rank.
_NAMES: dict[str, tuple[Role, str, int]] = {}
for _role, _unit, _step, _words in (
    ("cpu", "1", 0, "cpu_utilization"),
    ("cpu", "", 0, "cpu cpu_total cpu_usage cpu_used total_cpu"),
    ("cpu", "%", 0, "cpu_percent cpu_pct percent_cpu cpu_usage_percent cpu_total_percent cpu_utilization_percent"),
    ("cpu", "%", 0, "usage_active cpu_usage_active"),
    ("memory", "", 0, "memory mem memory_used mem_used rss memory_rss mem_rss used_memory memory_usage mem_usage"),
    ("memory", "By", 0, "memory_bytes mem_bytes rss_bytes memory_used_bytes memory_rss_bytes memory_usage_bytes"),
    ("memory", "kB", 0, "memory_kb mem_kb rss_kb"),
    ("memory", "MB", 0, "memory_mb mem_mb rss_mb memory_used_mb mem_used_mb memory_usage_mb memory_rss_mb ram_mb"),
    ("memory", "MiB", 0, "memory_mib mem_mib rss_mib"),
    ("cpu", "%", 0, "cpu_percentage cpu_use processor_use"),
    ("memory", "", 0, "ram ram_used ram_usage memory_use virtual_memory"),
    ("memory", "%", 3, "memory_percentage"),
    ("memory", "1", 3, "memory_utilization"),
    ("memory", "%", 3, "memory_percent mem_percent memory_pct mem_pct ram_percent memory_used_percent mem_used_percent"),
    ("memory", "%", 3, "used_percent_memory percent_memory memory_usage_percent memory_percent_used"),
    ("memory", "", 0, "memory_memory_used"),
    ("response", "s", 0, "request_duration"),
    ("response", "s", 2, "gen_ai_client_operation_duration"),
    ("response", "", 0, "response_time latency response reply_time response_latency request_time request_latency"),
    ("response", "ms", 0, "response_ms latency_ms duration_ms reply_ms response_time_ms request_ms request_duration_ms"),
    ("response", "s", 0, "response_s latency_s duration_s reply_s response_time_s latency_seconds response_time_seconds"),
    ("attempts", "", 0, "connection_attempts connections_attempted connect_attempts connections_attempts"),
    ("successes", "", 0, "connection_successes connections_succeeded connection_success connections_ok connections_successful"),
    ("successes", "", 0, "successful_connections connect_successes"),
    ("errors", "", 0, "connection_errors connections_failed connection_failures connect_errors connections_errors"),
    ("errors", "", 0, "failed_connections connection_failed"),
):  # fmt: skip
    for _word in _words.split():
        _NAMES[_word] = (_role, _unit, _step)  # type: ignore[assignment]
_IDLE = {"cpu_idle": "", "usage_idle": "%", "percent_idle": "%", "cpu_usage_idle": "%", "cpu_percent_idle": "%",
         "cpu_idle_percent": "%", "cpu_percent_percent_idle": "%"}  # fmt: skip
_WANTED_UNITS: dict[str, frozenset[str]] = {
    "cpu": frozenset(("1", "")), "memory": frozenset(("By", "1", "")), "response": frozenset(("s",)),
}  # fmt: skip
_OTEL_UNITS = {"process_memory_usage": "By", "system_memory_usage": "By"}
_TOTALS = frozenset(("total", "cpu-total", "all", "_total", "used"))
_STATE_KEYS = ("state", "mode", "cpu.mode", "system.cpu.state", "system.memory.state", "type_instance")

_SCOPE_STEP, _PART_STEP, _IDLE_RANK = 20, 8, 100


class Headline(NamedTuple):
    """`unit` is that of `value()`: a base unit, or "" where the publisher named none. `from_idle`: shown is what is left."""

    role: Role
    rank: int
    from_idle: bool = False
    unit: str = ""
    factor: float = 1.0
    offset: float = 0.0

    def value(self, published: Number) -> Number:
        """What the fleet shows for a published number (or array)."""
        return published * self.factor + self.offset


def base_unit(unit: str) -> str:
    """In which a value is shown: % as a ratio, ms as seconds, MB as bytes; an unknown unit stays."""
    return BASE_UNITS.get(unit, (unit, 1.0))[0]


def headline(metric: str, unit: str, labels: str) -> Headline | None:
    """Role and rank of a series (`SeriesKey.labels`), None where it cannot stand for its agent. Pure."""
    words = [word for word in re.split(r"[^a-z0-9%]+", metric.casefold()) if word]
    full = "_".join(words)
    own = host = False
    while len(words) > 1 and words[0] in _SCOPES:
        own, host = own or words[0] in _OWN, host or words[0] in _HOST
        words.pop(0)
    name = "_".join(words)
    part, state = _part_and_state(labels)
    idle = name in _IDLE or (state == "idle" and _NAMES.get(name, ("",))[0] == "cpu")
    if idle:
        return _idle_headline(unit or _IDLE.get(name, "") or _NAMES.get(name, ("", ""))[1], part)
    found = _NAMES.get(name)
    if found is None or state not in ("", *_TOTALS):
        return None
    role, implied, step = found
    base = base_unit(unit or _OTEL_UNITS.get(full, "") or implied)
    factor = BASE_UNITS.get(unit or implied, ("", 1.0))[1]
    if role in _WANTED_UNITS and base not in _WANTED_UNITS[role]:
        return None
    if role == "memory" and base == "1":
        step = max(step, 3)
    rank = (0 if own else 2 * _SCOPE_STEP if host else _SCOPE_STEP) + step + (_PART_STEP if part else 0)
    return Headline(role, rank, unit=base, factor=factor)


def _idle_headline(unit: str, part: bool) -> Headline | None:
    base, factor = BASE_UNITS.get(unit, (unit, 1.0))
    if base not in _WANTED_UNITS["cpu"]:
        return None
    whole = 1.0 if base == "1" else 100.0  # without a unit an idle figure of whole percent is the common one
    return Headline("cpu", _IDLE_RANK + (_PART_STEP if part else 0), True, base, -factor, whole)


def _part_and_state(labels: str) -> tuple[bool, str]:
    """Whether labels single out a part (a core, an error type), and the state they name."""
    if not labels:
        return False, ""
    try:
        pairs = json.loads(labels)
    except ValueError:
        return True, ""
    if not isinstance(pairs, dict):
        return True, ""
    state = next((str(pairs[key]).casefold() for key in _STATE_KEYS if key in pairs), "")
    keys = ("cpu",) if "cpu" in pairs else [key for key in pairs if key not in (*_STATE_KEYS, "unit")]
    rest = [str(pairs[key]).casefold() for key in keys]  # what else stands beside a core is said of the whole host
    return any(value not in _TOTALS for value in rest), state
