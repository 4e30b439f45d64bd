"""Runs a simulated fleet against a broker at a steady rate, and counts what was sent."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.simulation.fleet import INTERVAL_S, SimulatedFleet
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


def run_load(publisher: BulkPublisher, load: Load, stopped: Callable[[], bool] = lambda: False) -> LoadReport:
    """Publish every agent's status, then messages at the rate, then a goodbye of all. Blocks; ends early when `stopped`."""
    fleet = SimulatedFleet(load.agents, load.seed)
    cpu_s, began_s = time.process_time(), time.monotonic()
    publisher.send(fleet.statuses(time.time()), qos=1)
    started_s = time.monotonic()
    status_due_s = started_s + INTERVAL_S
    made = 0
    while not stopped() and (not load.duration_s or time.monotonic() - started_s < load.duration_s):
        elapsed_s = time.monotonic() - started_s
        due = int(elapsed_s * load.rate) - made
        if due > 0:
            publisher.send(fleet.next(min(due, 5_000), time.time()), load.qos)
            made += min(due, 5_000)
        if time.monotonic() >= status_due_s:
            publisher.send(fleet.statuses(time.time()), qos=1)
            status_due_s += INTERVAL_S
        _pace(publisher, end_s=time.monotonic() + (_SLICE_S if due < load.rate * _SLICE_S * 2 else 0))
    lasted_s = time.monotonic() - started_s
    behind = max(0, int(lasted_s * load.rate) - made)
    publisher.send(fleet.statuses(time.time(), "stopped"), qos=1)
    publisher.drain(_DRAIN_LIMIT_S)
    return LoadReport(
        sent=dict(fleet.sent),
        total=publisher.sent,
        acknowledged=publisher.acknowledged,
        unacknowledged=publisher.in_flight,
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
