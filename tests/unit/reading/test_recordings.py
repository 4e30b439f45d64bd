"""Traffic of real programs, read without knowing any of them by name."""

from collections import Counter

from models.domain.clock import Instant
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Cause, Presence
from models.domain.records import Level
from tests.helpers.reading import Reading, recorded


def test_winston() -> None:
    reading = Reading()
    batch = reading.read(*recorded("winston-json-logs"))
    assert reading.agents() == {"crawler-1"}
    # verbose folds into debug, silly into trace
    assert Counter(one.level for one in batch.logs) == {
        Level.INFO: 12, Level.WARN: 3, Level.ERROR: 2, Level.DEBUG: 2, Level.TRACE: 1,
    }  # fmt: skip
    errors = [one for one in batch.logs if one.level is Level.ERROR]
    assert any(one.stack and '"code":"ECONNRESET"' in (one.attributes or "") for one in errors)
    assert any("\n" in one.text and not one.text.isascii() for one in batch.logs)
    assert [(one.presence, one.cause) for one in batch.evidence] == [
        (Presence.ONLINE, Cause.STATUS), (Presence.OFFLINE, Cause.WILL),
    ]  # fmt: skip
    assert not batch.unreadable
    assert all(one.time_us < batch.messages[one.row].received_us for one in batch.logs)  # own time, not arrival


def test_five_ways_to_log_in_python() -> None:
    reading = Reading()
    batch = reading.read(*recorded("python-log-formats"))
    assert reading.agents() == {"py-agent"}
    formats: dict[bytes, list[Level]] = {}
    for one in batch.logs:
        formats.setdefault(batch.messages[one.row].topic, []).append(one.level)
    assert len(formats) == 5
    for levels in formats.values():
        assert Counter(levels) == {Level.INFO: 5, Level.DEBUG: 1, Level.WARN: 1, Level.ERROR: 1, Level.FATAL: 1}
    errors = [one for one in batch.logs if one.level is Level.ERROR]
    assert len(errors) == 5
    assert all("boom" in (one.stack or "") and "ValueError: bad input: 42" in (one.error or "") for one in errors)
    assert all(abs(one.time_us - batch.messages[one.row].received_us) < 100_000 for one in batch.logs)
    assert not batch.unreadable
    assert batch.evidence[-1].presence is Presence.OFFLINE


def test_glances() -> None:
    reading = Reading()
    batch = reading.read(*recorded("glances-per-plugin"))
    assert reading.agents() == {"build-host-1", "build-host-2"}
    counts = Counter((one.agent, one.metric) for one in reading.points)
    assert counts["build-host-2", "cpu.total"] == counts["build-host-2", "mem.percent"] == 11
    assert counts["build-host-2", "network.lo.bytes_recv"] == 11
    assert {one.agent for one in reading.points} == {"build-host-2"}
    said = [(reading.names.agents[one.agent], one.presence, one.cause) for one in batch.evidence]
    assert said == [
        ("build-host-1", Presence.OFFLINE, Cause.REPLAYED),
        ("build-host-2", Presence.ONLINE, Cause.STATUS),
        ("build-host-2", Presence.OFFLINE, Cause.WILL),
    ]
    assert not batch.unreadable


def test_tasmota() -> None:
    reading = Reading()
    batch = reading.read(*recorded("synthetic-tasmota"))
    assert reading.agents() == {"tasmota_AB12CD"}
    counts = Counter(one.metric for one in reading.points)
    assert [counts[name] for name in ("UptimeSec", "LoadAvg", "Heap", "Wifi.RSSI", "MqttCount")] == [5] * 5
    assert [one.presence for one in batch.evidence] == [Presence.ONLINE, Presence.OFFLINE]


def test_zigbee2mqtt() -> None:
    reading = Reading()
    batch = reading.read(*recorded("synthetic-zigbee2mqtt-2"))
    assert reading.agents() == {"bridge", "kitchen/plug"}
    assert Counter(one.level for one in batch.logs) == {Level.INFO: 2, Level.DEBUG: 1, Level.WARN: 1, Level.ERROR: 1}
    units = {one.metric: one.unit for one in reading.points}
    assert (units["process.memory_used_mb"], units["process.memory_percent"]) == ("By", "1")
    said = [(reading.names.agents[one.agent], one.presence) for one in batch.evidence]
    assert said == [
        ("bridge", Presence.ONLINE), ("kitchen/plug", Presence.ONLINE), ("kitchen/plug", Presence.OFFLINE),
        ("bridge", Presence.OFFLINE),
    ]  # fmt: skip
    assert not batch.unreadable


def test_esphome() -> None:
    reading = Reading()
    batch = reading.read(*recorded("synthetic-esphome"))
    assert reading.agents() == {"kitchen-node"}
    assert Counter(one.metric for one in reading.points) == {"Uptime": 5, "free_heap": 4}  # one is nan
    assert {one.level for one in batch.logs} == {Level.DEBUG, Level.WARN, Level.ERROR}
    assert not any("\x1b" in one.text for one in batch.logs)
    assert not batch.unreadable


def test_mqtt_io() -> None:
    reading = Reading()
    batch = reading.read(*recorded("mqtt-io-2.7"))
    assert reading.agents() == {"io-5"}
    assert Counter(one.metric for one in reading.points) == {"temp1": 7}
    assert [one.presence for one in batch.evidence] == [Presence.ONLINE] * 3 + [Presence.STOPPED]


def test_homie() -> None:
    reading = Reading()
    batch = reading.read(*recorded("homie4-clean-stop"))
    assert reading.agents() == {"planner-01"}
    assert Counter(one.metric for one in reading.points) == {"host.cpu": 14, "host.memory": 14, "host.latency": 14}
    assert [one.presence for one in batch.evidence] == [Presence.ONLINE, Presence.ONLINE, Presence.OFFLINE]


def test_presence_after_a_whole_recording() -> None:
    for name, at_the_end in (
        (
            "glances-per-plugin",
            {"build-host-1": (Presence.OFFLINE, Cause.REPLAYED), "build-host-2": (Presence.OFFLINE, Cause.WILL)},
        ),
        ("mqtt-io-2.7", {"io-5": (Presence.STOPPED, Cause.GOODBYE)}),
        ("python-log-formats", {"py-agent": (Presence.OFFLINE, Cause.WILL)}),
    ):
        reading, keeper, last = Reading(), PresenceKeeper(), {}
        messages = recorded(name)
        for i in range(0, len(messages), 10):
            batch = reading.read(*messages[i : i + 10])
            at_us = batch.messages[-1].received_us
            for change in keeper.observe(batch, Instant(at_us, at_us)):
                last[reading.names.agents[change.agent]] = (change.presence, change.cause)
        assert last == at_the_end
