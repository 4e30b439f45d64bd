"""Runs a simulated fleet against a broker at a steady rate, and counts what was sent."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.simulation.fleet import ILLNESS, INTERVAL_S, SimulatedFleet
from app.simulation.story_teller import Connect, StoryTeller
from mqtt.bulk_publisher import BulkPublisher

_SLICE_S = 0.01
_DRAIN_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """What to send; `duration_s` 0 means until stopped."""

    agents: int
    rate: float
    duration_s: float
    qos: int
    seed: int


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What was sent. `acknowledged` counts PUBACKs (QoS 1), `behind` messages that the rate asked for and were not sent."""

    sent: dict[str, int]
    total: int
    acknowledged: int
    unacknowledged: int
    behind: int
    duration_s: float
    rate: float
    cpu_s: float


def run_load(
    publisher: BulkPublisher,
    load: Load,
    stopped: Callable[[], bool] = lambda: False,
    connect: Connect | None = None,
    speed: float = 1.0,
) -> LoadReport:
    """Publish every agent's status, then messages at the rate, then a goodbye of all. Blocks; ends early when `stopped`.

    With `connect` the fleet tells a story, `speed` times as fast as usual (`StoryTeller`), and nobody else is ill.
    """
    fleet = SimulatedFleet(load.agents, load.seed, illness=0.0 if connect else ILLNESS)
    teller = StoryTeller(fleet, publisher, connect, speed) if connect else None
    try:
        return _run(publisher, load, fleet, teller, stopped)
    finally:
        if teller is not None:
            teller.close()


def _run(
    publisher: BulkPublisher,
    load: Load,
    fleet: SimulatedFleet,
    teller: StoryTeller | None,
    stopped: Callable[[], bool],
) -> LoadReport:
    send = publisher.send if teller is None else teller.send
    cpu_s, began_s = time.process_time(), time.monotonic()
    publisher.send(fleet.statuses(time.time()), qos=1)
    started_s = time.monotonic()
    status_due_s = started_s + INTERVAL_S
    made = 0
    while not stopped() and (not load.duration_s or time.monotonic() - started_s < load.duration_s):
        elapsed_s = time.monotonic() - started_s
        due = int(elapsed_s * load.rate) - made
        if teller is not None:
            teller.tell(elapsed_s, time.time())
            teller.poll()
        if due > 0:
            send(fleet.next(min(due, 5_000), time.time()), load.qos)
            made += min(due, 5_000)
        if time.monotonic() >= status_due_s:
            send(fleet.statuses(time.time()), 1)
            status_due_s += INTERVAL_S
        _pace(publisher, end_s=time.monotonic() + (_SLICE_S if due < load.rate * _SLICE_S * 2 else 0))
    lasted_s = time.monotonic() - started_s
    behind = max(0, int(lasted_s * load.rate) - made)
    send(fleet.statuses(time.time(), "stopped"), 1)
    if teller is not None:
        teller.close()
    publisher.drain(_DRAIN_LIMIT_S)
    return LoadReport(
        sent=dict(fleet.sent),
        total=sum(fleet.sent.values()),
        acknowledged=publisher.acknowledged + (teller.acknowledged if teller else 0),
        unacknowledged=publisher.in_flight + (teller.unacknowledged if teller else 0),
        behind=behind,
        duration_s=round(time.monotonic() - began_s, 3),
        rate=round(made / lasted_s, 1) if lasted_s else 0.0,
        cpu_s=round(time.process_time() - cpu_s, 2),
    )


def _pace(publisher: BulkPublisher, end_s: float) -> None:
    """Until the next slice, listen to the broker."""
    publisher.poll()
    while (left_s := end_s - time.monotonic()) > 0:
        publisher.poll(left_s)
