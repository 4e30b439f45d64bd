"""Runs a simulated fleet against a broker at a steady rate, and counts what was sent."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.simulation.fleet import ILLNESS, INTERVAL_S, SimulatedFleet
from app.simulation.story_teller import Connect, StoryTeller
from mqtt.bulk_publisher import BulkPublisher, Outgoing

_SLICE_S = 0.002
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
    steadily = _Steadily(publisher, load.rate)
    cpu_s, began_s = time.process_time(), time.monotonic()
    steadily.send(fleet.statuses(time.time()), publisher.send)
    started_s = time.monotonic()
    made = statuses = 0
    while not stopped() and (not load.duration_s or time.monotonic() - started_s < load.duration_s):
        elapsed_s = time.monotonic() - started_s
        if teller is not None:
            teller.tell(elapsed_s, time.time())
            teller.poll()
        due = min(steadily.most, int(elapsed_s * load.rate) - made)
        if due > 0:
            send(fleet.next(due, time.time()), load.qos)
            made += due
        for i in range(statuses, statuses := int(elapsed_s / INTERVAL_S * load.agents)):
            if not fleet.absent[i % load.agents]:
                send([fleet.status(i % load.agents, time.time())], 1)
        steadily.wait()
    lasted_s = time.monotonic() - started_s
    behind = max(0, int(lasted_s * load.rate) - made)
    steadily.send(fleet.statuses(time.time(), "stopped"), send)
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


class _Steadily:
    """Many agents do not speak all at once: slices of two milliseconds, and after a delay no more than twice the rate. A broker
    that queues a thousand messages would drop of every burst what its subscriber would have taken."""

    def __init__(self, publisher: BulkPublisher, rate: float) -> None:
        self.most = max(1, int(rate * _SLICE_S * 2))  # messages in a slice
        self._publisher = publisher
        self._next_s = time.monotonic()

    def wait(self) -> None:
        """Until the next slice; then take what the broker acknowledged. Asleep, not listening: to wake up for each
        acknowledgement costs more than to send."""
        now_s = time.monotonic()
        self._next_s = max(self._next_s + _SLICE_S, now_s)
        time.sleep(self._next_s - now_s)
        self._publisher.poll()

    def send(self, messages: list[Outgoing], send: Callable[[list[Outgoing], int], None]) -> None:
        """All of them, at QoS 1."""
        for start in range(0, len(messages), self.most):
            send(messages[start : start + self.most], 1)
            self.wait()
