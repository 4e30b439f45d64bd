"""Telegraf, Glances, collectd and brokers, broken in every way: nothing escapes the reader, and every message keeps its row."""

import json
import logging
import math
import random

import pytest

from models.domain.messages import Origin, RawMessage
from tests.helpers.reading import ARRIVAL_US, Reading

S = ARRIVAL_US // 1_000_000
FORMS: dict[str, list[str]] = {
    "telegraf/h-1/cpu": [
        f'cpu,cpu=cpu-total,host=h-1 usage_idle=87.25,n=3i,u=4u,t=true,s="a \\"b\\", c" {S}000000000\n',
        f"m\\,x,host=h\\ 1,k\\=y=v f\\ g=1e3 {S}000000000\nmem,host=h-2 used=5i\n# note\n",
        json.dumps({"name": "cpu", "tags": {"host": "h-1"}, "fields": {"x": 1, "s": "t"}, "timestamp": S}),
        json.dumps({"metrics": [{"name": "net", "tags": {"host": "h-1", "i": "lo"}, "fields": {"bytes_recv": 7}}]}),
    ],
    "telegraf/h-3/mem/used": ["123", "1.5", "true", "text"],
    "glances/h-4/cpu": [json.dumps({"total": 5.5, "user": 1, "alias": None, "history_size": 28800.0, "cpu_careful": 50.0})],
    "mon/h-5/network": [json.dumps({"lo": {"bytes_recv": 5, "bytes_recv_gauge": 7, "x": None}, "history_size": 1.0})],
    "glances/h-4/mem/used": ["1024", "nan", "[]"], "glances/h-4/availability": ["online", "offline", ""],
    "collectd/h-6/interface-lo/if_octets": [f"{S}.063:1678.19:nan\0", f"{S}:-nan:inf\0", f"{S}:1"],
    "$SYS/broker/uptime": ["24 seconds", "5", "x"], "$SYS/brokers/n@h/metrics/bytes/sent": ["9"],
    "$SYS/broker/log/N": [
        f"{S}: New client connected from 1.2.3.4:5 as c-1 (p5, c1, k60, u'ada').", f"{S}: Client c-1 disconnected.",
        f"{S}: Client bad-1 [1.2.3.4:5] disconnected: not authorised.", f"{S}: Client <unknown> closed its connection.",
        f"{S}: Client connection from 1.2.3.4 failed: error:0A000086:SSL routines.",
    ],
    "agents/h-7/tail/mosquitto.log": [f"{S}: Socket error on client c-1, disconnecting.", "2026-11-23T07:47:30: Client x disconnected."],
    "$SYS/brokers/n@h/clients/c-1/connected": [json.dumps({"clientid": "c-1", "connected_at": S * 1_000, "connack": 0})],
    "$SYS/brokers/n@h/clients/c-1/disconnected": [json.dumps({"clientid": "c-1", "reason": "normal", "ts": S * 1_000})],
    "$aws/events/presence/connected/c-1": [json.dumps({"clientId": "c-1", "timestamp": S * 1_000, "versionNumber": 3})],
    "$aws/events/presence/disconnected/c-1": [json.dumps({"clientId": "c-1", "disconnectReason": "AUTH_ERROR", "versionNumber": 4})],
    "agents/c-1/status": ['{"state":"online"}'],
}  # fmt: skip
SCRAPS = [
    "", "\0", '"', "\\", ",", "=", " ", ":", "\n", "{", "}", "[", "]", "nan", "inf", "1e999", "-", "9" * 400, "i", "#", "null", "\u202e",
    "<unknown>", "host=", "true", "x" * 300, '{"a":' * 40, "\ud800", "Client ", " disconnected", str(S), "-9" * 30,
]  # fmt: skip


def broken(chance: random.Random) -> tuple[bytes, bytes]:
    topic = chance.choice(list(FORMS))
    text = chance.choice(FORMS[topic] if chance.random() < 0.95 else FORMS[chance.choice(list(FORMS))])
    for _ in range(chance.randint(0, 4)):
        start = chance.randint(0, len(text))
        text = text[:start] + chance.choice(SCRAPS) + text[start + chance.choice((0, 0, 1, 3, 9)) :]
    payload = text.encode("utf-8", "surrogatepass")
    return topic.encode(), payload[: chance.randint(0, len(payload))] if chance.random() < 0.1 else payload


def read_all(count: int, caplog: pytest.LogCaptureFixture) -> None:
    chance, reading = random.Random(count), Reading()
    with caplog.at_level(logging.ERROR):
        for start in range(0, count, 250):
            if start % 25_000 == 0:
                reading = Reading()  # other messages come first and claim the topics
            messages = [
                RawMessage(topic, payload, 0, False, False, 0, None, ARRIVAL_US + start, chance.choice(list(Origin)), 1)
                for topic, payload in (broken(chance) for _ in range(250))
            ]
            batch = reading.read(*messages)  # checks the rows
            assert not [one for one in batch.unreadable if one.reason == "bug"], caplog.text
            assert all(map(math.isfinite, batch.sample_value))
            assert all(-(1 << 63) <= time < 1 << 63 for time in batch.stamp_time_us)
            assert all(one.error is None or one.error.encode() for one in batch.attempts)
    assert not caplog.records
    "".join(reading.names.agents).encode()
    "".join(key.metric + key.labels for key in reading.names.series).encode()


def test_broken_forms(caplog: pytest.LogCaptureFixture) -> None:
    read_all(10_000, caplog)


@pytest.mark.long
def test_broken_forms_at_length(caplog: pytest.LogCaptureFixture) -> None:
    read_all(300_000, caplog)
