"""Devices of real programs whose recordings are not in the tests of their conventions: who is there, what exactly is measured,
and how it ends, however the messages come in batches."""

from collections import Counter

import pytest

from models.domain.clock import Instant
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Cause, Presence
from tests.helpers.reading import Reading, recorded

LOST = (Presence.OFFLINE, Cause.WILL)
DEATH = (Presence.OFFLINE, Cause.STATUS)

EXPECTED: dict[str, tuple[dict[tuple[str, str, str], int], dict[str, tuple[Presence, Cause]], int]] = {
    # thirteen kinds of entities on one device, two on another; each has an availability topic of its own
    "ha-discoverable-0.26-entities": (
        {
            ("runner-1", "CPU load", "1"): 10, ("runner-1", "Queue", ""): 10, ("runner-1", "Uptime", "s"): 10,
            ("runner-1", "Setpoint", "Cel"): 10, ("fz-2", "Temperature", "Cel"): 10, ("fz-2", "Humidity", "1"): 10,
        },
        {"runner-1": LOST, "fz-2": LOST}, 0,
    ),
    # an array of three elements described once; one device says goodbye, the other crashes
    "homie-device-3.0-array": (
        {
            (device, metric, unit): 8
            for device in ("meter-1", "meter-2")
            for metric, unit in (
                ("phase_1.watt", "W"), ("phase_2.watt", "W"), ("phase_3.watt", "W"), ("sys.cycles", "#"), ("sys.temp", "Cel"),
            )
        },
        {"meter-1": LOST, "meter-2": (Presence.STOPPED, Cause.GOODBYE)}, 0,
    ),
    # a panel with two circuits, a battery behind one of them: the panel's will is that of all four
    "ebus-sdk-homie-5-crash": (
        {
            ("panel-1", "meter.voltage", "V"): 8, ("panel-1", "meter.cycles", "#"): 8,
            ("circuit-1", "feed.power", "W"): 8, ("circuit-1", "feed.duty", "1"): 8,
            ("circuit-2", "feed.power", "W"): 8, ("circuit-2", "feed.duty", "1"): 8, ("bess-1", "cell.soc", "1"): 8,
        },
        dict.fromkeys(("panel-1", "circuit-1", "circuit-2", "bess-1"), LOST), 0,
    ),
    # values by alias alone, a rebirth that a host asked for, a data set, a template; hosts of both versions
    "sparkplug-client-alias-crash": (
        {
            ("cell-7/plc-1", "cpu/load", "1"): 12, ("cell-7/plc-1/pump", "flow", "L/min"): 12,
            ("cell-7/plc-1/pump", "rpm", ""): 12, ("cell-7/plc-1/pump", "total", ""): 12,
        },
        dict.fromkeys(("cell-7/plc-1", "cell-7/plc-1/pump", "scada-1", "scada-old"), LOST), 1,
    ),
    # names are longer in births than later, and the will has another number than the birth
    "mqtt-spb-wrapper-2.1-crash": (
        {
            ("plant-b/gw-1", "load", ""): 9, ("plant-b/gw-1/press-2", "temperature", ""): 9, ("plant-b/gw-1/press-2", "count", ""): 9,
            ("plant-b/gw-1/press-2", "neg", ""): 9, ("plant-b/gw-1/press-2", "u16", ""): 1,
        },
        {"plant-b/gw-1": LOST, "plant-b/gw-1/press-2": DEATH}, 1,
    ),
    # announced under a name that its topics do not have, and most of it not announced at all
    "psmqtt-2.6-named": (
        {
            ("node-3", "CPU", "1"): 5, ("node-3", "Memory", "1"): 5, ("node-3", "Free", "By"): 5,
            **{
                ("node-3", f"cpu_times_percent.{state}", ""): 5
                for state in "guest guest_nice idle iowait irq nice softirq steal system user".split()
            },
            **{("node-3", f"num_{what}", ""): 2 for what in ("mqtt_disconnects", "tasks_errors", "tasks_success")},
        },
        {"node-3": LOST}, 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("size", [1, 10, 1_000])
@pytest.mark.parametrize("name", EXPECTED)
def test_devices(name: str, size: int) -> None:
    series, at_the_end, connections = EXPECTED[name]
    reading, keeper, last, attempts, gaps = Reading(), PresenceKeeper(), {}, 0, 0
    messages = recorded(name)
    for i in range(0, len(messages), size):
        batch = reading.read(*messages[i : i + size])
        assert not batch.unreadable
        assert not batch.logs
        gaps += len(batch.gaps)
        attempts += len(batch.attempts)
        at_us = batch.messages[-1].received_us
        for change in keeper.observe(batch, Instant(at_us, at_us)):
            last[reading.names.agents[change.agent]] = change.presence, change.cause
    assert Counter((one.agent, one.metric, one.unit) for one in reading.points) == series
    assert last == at_the_end
    assert reading.agents() == set(at_the_end)
    assert len(reading.names.series) - 1 == len(series)
    assert attempts == connections
    assert bool(gaps) == (name == "mqtt-spb-wrapper-2.1-crash"), "its device counts for itself"
