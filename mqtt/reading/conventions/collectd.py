"""collectd: `<prefix>/<host>/<plugin>[-<instance>]/<type>[-<instance>]` with `time:value[:value]` and a NUL behind it.

The type says what the values are and in which unit. Rates are taken for rates: that is what its `StoreRates` says unless it was
told otherwise. It knows no total of the CPU; what is not idle is in use (`domain.headline`).
"""

import math
import re
from array import array

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.names import SeriesKind
from models.domain.records import Declaration
from models.domain.timestamps import read_time
from mqtt.reading.decode import read_text
from mqtt.reading.generic_numbers import read_timed
from mqtt.reading.plan import Figure, Plan, Sink, Unread
from mqtt.reading.units import Scales, scaled, scales_of

SOURCE = "collectd"
_USUAL = re.compile(rb"\d{9,11}[.\d]{0,16}(?::[-+.\deE]{1,32}){1,8}\0?\n?")
_LEAST_LEVELS = 4  # the prefix, then the three parts of a value's name; without a prefix the NUL or the type tells
_PARTS = {
    type_: parts
    for parts, types in {
        ("rx", "tx"): "if_octets if_packets if_errors if_dropped io_octets io_packets serial_octets node_octets mysql_octets"
        " memcached_octets",
        ("read", "write"): "disk_octets disk_ops disk_time disk_merged disk_latency ps_disk_octets ps_disk_ops io_ops"
        " arc_l2_bytes",
        ("minflt", "majflt"): "ps_pagefaults vmpage_faults", ("in", "out"): "vmpage_io",
        ("vf_rx", "vf_tx"): "vf_bytes vf_packets vf_dropped", ("shortterm", "midterm", "longterm"): "load",
        ("processes", "threads"): "ps_count", ("user", "syst"): "ps_cputime", ("used", "free"): "df",
        ("io_time", "weighted_io_time"): "disk_io_time", ("queries", "responses"): "dns_octets",
        ("uncompressed", "compressed"): "compression",
    }.items()
    for type_ in types.split()
}  # fmt: skip
"""Of the types that hold several values, what each is."""
_UNITS = {
    type_: unit
    for unit, types in {
        "%": "percent percent_bytes percent_inodes humidity",
        "By": "memory df df_complex swap bytes ps_vm ps_rss ps_data ps_code ps_stacksize file_size capacity",
        "By/s": "if_octets if_rx_octets if_tx_octets disk_octets ps_disk_octets io_octets serial_octets dns_octets node_octets"
        " mysql_octets memcached_octets total_bytes apache_bytes ipt_bytes vf_bytes",
        "/s": "if_packets if_errors if_dropped if_collisions if_multicast if_rx_packets if_tx_packets if_rx_errors if_tx_errors"
        " if_rx_dropped if_tx_dropped disk_ops disk_merged ps_disk_ops io_ops io_packets fork_rate contextswitch irq"
        " operations requests errors packets commands invocations total_requests total_operations total_connections"
        " total_events total_sessions apache_requests nginx_requests http_requests ipt_packets vf_packets vf_dropped"
        " ps_pagefaults vmpage_faults vmpage_action vmpage_io swap_io protocol_counter derive counter",
        "s": "uptime duration response_time latency delay time_offset", "ms": "ping disk_latency", "Cel": "temperature",
        "V": "voltage", "A": "current", "W": "power", "Hz": "frequency cpufreq",
    }.items()
    for type_ in types.split()
}  # fmt: skip


class CollectdRecogniser:
    """Claims topics whose first message is values behind their time."""

    uses_declarations = False

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:
        if len(levels) < 3 or not all(levels[-3:]) or not message.payload[:1].isdigit():
            return None
        if (
            len(levels) < _LEAST_LEVELS
            and message.payload[-1:] != b"\0"
            and _type_of(levels[2]) not in (*_UNITS, *_PARTS)
        ):
            return None
        try:
            if read_timed(read_text(message.payload), message.received_us) is None:
                return None
        except Unread:
            return None
        parts = levels[1:] if levels[0].casefold() == SOURCE and len(levels) >= _LEAST_LEVELS else levels[-3:]
        return CollectdPlan(topic, parts[0], parts[1], "/".join(parts[2:]), sink)


class CollectdPlan:
    """One topic: always the same few series."""

    kind = Kind.METRICS

    def __init__(self, topic: int, host: str, plugin: str, type_: str, sink: Sink) -> None:
        self.topic = topic
        self._host, self._name, self._type = host, f"{plugin}.{type_}", _type_of(type_)
        self.agent = sink.names.known_agent(host)
        self._figures: list[Figure | None] = []
        self._series = array("I")  # those of as many values, once all are known
        self._scales: Scales | None = None

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        if self._series and self._read_usual(row, message, sink):
            return
        timed = read_timed(read_text(message.payload), message.received_us)
        if timed is None:
            raise Unread("text")
        if not self._figures:
            self._begin(row, sink)
        values = timed.values
        figures = self._figures
        if len(values) != len(figures):
            figures = self._figures = [None] * len(values)
            self._series = array("I")
        known = [place for place, value in enumerate(values) if not math.isnan(value)]  # the first of a rate is none
        put = [figures[place] or self._figure(place, sink) for place in known]
        sink.put(row, timed.time_us, put, [values[place] for place in known])
        if len(put) == len(figures) and all(one.series for one in put):
            self._series, self._scales = array("I", [one.series for one in put]), scales_of([one.scale for one in put])

    def _read_usual(self, row: int, message: RawMessage, sink: Sink) -> bool:
        """As many values as before, all of them there: False where it is anything else, and nothing was put anywhere."""
        _, payload, _, _, _, _, _, received_us, _, _ = message
        if not _USUAL.fullmatch(payload):
            return False
        try:
            time, *values = map(float, payload.rstrip(b"\0\n").split(b":"))
        except ValueError:
            return False
        time_us = read_time(time, received_us)
        if time_us is None or len(values) != len(self._series) or not math.isfinite(sum(values)):
            return False
        if self._scales is None:
            sink.batch.add_samples(row, time_us, self._series, values)
        else:
            sink.batch.add_samples(row, time_us, *scaled(self._series, values, self._scales))
        return True

    def _begin(self, row: int, sink: Sink) -> None:
        self.agent = sink.batch.agent[row] = sink.agent(self._host)
        declaration = Declaration(row, self.agent, SOURCE)
        if sink.declarations.is_news(declaration, self._host):
            sink.batch.declarations.append(declaration)

    def _figure(self, place: int, sink: Sink) -> Figure:
        name = self._name
        if len(self._figures) > 1:
            parts = _PARTS.get(self._type, ())
            name += f".{parts[place] if len(parts) == len(self._figures) else place + 1}"
        unit = _UNITS.get(self._type, "")
        figure = sink.figure(self.agent, name, unit, SeriesKind.GAUGE, SOURCE)
        self._figures[place] = figure
        return figure


def _type_of(level: str) -> str:
    return level.partition("-")[0]
