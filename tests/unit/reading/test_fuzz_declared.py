"""Announcements with broken values, and messages on the topics they speak of: nothing escapes."""

import json
import logging
import math
import random
from typing import Any

import pytest

from models.domain.messages import Origin, RawMessage
from tests.helpers.reading import ARRIVAL_US, Reading, recorded
from tests.unit.reading.test_fuzz import ODD, SEED, mutated, with_odd_values

KEYS = (
    "~ avty avty_t avty_mode avty_tpl pl_avail pl_not_avail stat_t cmd_t val_tpl unit_of_meas stat_cla dev_cla exp_aft name uniq_id"
    " obj_id dev cmps json_attr_t topic t"
).split()
TEMPLATES = [
    "{{ value_json.x }}", "{{ value_json.get('x', {}).get('y') }}", "{{ value }}", "{{ value_json[0] / 3 }}", "{{ (((value", "{% x %}",
    "{{ value_json.x if value_json.x is defined else None }}", "{% if value_json.x is defined %}{{ value_json.x }}{% endif %}",
    "{%- if value_json.x is not none -%}{{ value }}{%- else -%}{{ (( }}{%- endif -%}", "{{ value_json.x.y.z | float * 1e5 }}",
]  # fmt: skip
TOPICS = [
    "x/a",
    "x/b",
    "y/dev-1/a",
    "zigbee2mqtt/bridge/state",
    "tele/dev-1/LWT",
    "agents/dev-1/status",
    "dev-1/status",
    "x",
    "STATE/dev-1",
    "lab/dev-1/telem/STATE",
    "telem/dev-1/LWT",
    "esphome/discover/dev-1",
]


def config(chance: random.Random) -> bytes:
    def one(deep: int) -> dict[str, Any]:
        body: dict[str, Any] = {"dev": {"ids": chance.choice(["dev-1", ["dev-2", "d"], 5]), "name": "Dev"}}
        for key in chance.sample(KEYS, chance.randint(1, 8)):
            body[key] = chance.choice([*TOPICS, *TOPICS, *TEMPLATES, "%", "all", "latest", *ODD])
        if deep and chance.random() < 0.3:
            body["cmps"] = {str(n): {"p": chance.choice(["sensor", "switch", 5]), **one(0)} for n in range(3)}
        return body

    payload = json.dumps(one(1)).encode()
    return chance.choice([payload, payload, with_odd_values(chance, payload), mutated(chance, payload), b""])


def announcement(chance: random.Random) -> bytes:
    """As Tasmota has it."""
    told = {
        "t": chance.choice(["dev-1", "lab/dev-1", ""]), "tp": ["cmd", "stat", chance.choice(["telem", "tele", "x"])], "onln": "Up",
        "ofln": chance.choice(["Down", "Up"]), "dn": "Dev", "sw": "14",
    }  # fmt: skip
    payload = json.dumps(told).encode()
    return chance.choice([payload, with_odd_values(chance, payload), mutated(chance, payload), b""])


def read_all(count: int, caplog: pytest.LogCaptureFixture) -> None:
    chance, reading, messages = random.Random(SEED), Reading(), []
    values = [
        one.payload
        for name in ("synthetic-zigbee2mqtt-2", "synthetic-tasmota", "ha-discoverable")
        for one in recorded(name)
    ]
    for i in range(count):
        if chance.random() < 0.5:
            component = chance.choice(["sensor", "device", "binary_sensor", "climate"])
            topic, payload = f"homeassistant/{component}/n{chance.randint(0, 99)}/config", config(chance)
            if chance.random() < 0.1:
                topic, payload = f"tasmota/discovery/{chance.randint(0, 9)}/config", announcement(chance)
        else:
            topic, payload = (
                chance.choice(TOPICS),
                chance.choice([*values, b"1", b"online", b"ONLINE", b"Up", b'{"x":{"y":1}}', b"[1]", b"\xff"]),
            )
            payload = payload if chance.random() < 0.7 else mutated(chance, payload)
        messages.append(
            RawMessage(
                topic.encode(), payload, 0, False, False, 0, None, ARRIVAL_US + i, chance.choice(list(Origin)), 1
            )
        )
    with caplog.at_level(logging.ERROR):
        for at in range(0, count, 100):
            batch = reading.read(*messages[at : at + 100])
            assert all(map(math.isfinite, batch.sample_value))
            assert not [one for one in batch.unreadable if one.reason == "bug"], caplog.text
            assert batch.remembered == sorted(set(batch.remembered))
    assert not caplog.records
    "".join(reading.names.agents).encode()
    "".join(key.metric + key.unit for key in reading.names.series).encode()


def test_broken_announcements(caplog: pytest.LogCaptureFixture) -> None:
    read_all(4_000, caplog)


@pytest.mark.long
def test_broken_announcements_at_length(caplog: pytest.LogCaptureFixture) -> None:
    read_all(150_000, caplog)
