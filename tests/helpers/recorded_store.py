"""A workspace as the recorder makes it of ready messages, without a broker; and messages to make it of."""

from collections.abc import Sequence
from pathlib import Path

from app.simulation.fleet import SimulatedFleet
from models.domain.clock import Instant
from models.domain.messages import Origin, RawMessage
from models.domain.presence import PresenceKeeper
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreLimits, StoreWriter
from mqtt.reading.reader import Reader
from tests.helpers.clock import FIRST_WALL_US, FakeClock

BATCH = 25
WAIT_US = 100_000_000  # so long it is quiet at the end: silence speaks, requests time out


def as_live(messages: Sequence[RawMessage]) -> list[RawMessage]:
    """A recording as a broker would deliver it now."""
    return [
        one._replace(
            origin=Origin.LIVE if one.origin is Origin.IMPORTED else one.origin, qos=1, packet_id=place + 1, epoch=1
        )
        for place, one in enumerate(messages)
    ]


def of_our_own_agents(steps: int = 60) -> list[RawMessage]:
    """A simulated fleet of 40; about 50 messages a step."""
    fleet, out = SimulatedFleet(40, seed=7, illness=0.2), []
    for step in range(steps):
        at_us = FIRST_WALL_US + step * 400_000
        said = (fleet.statuses(at_us / 1e6) if step % 20 == 0 else []) + fleet.next(50, at_us / 1e6)
        out += [(at_us + 7_000 * place, one) for place, one in enumerate(said)]
    return [
        RawMessage(one.topic, one.payload, 1, False, False, place % 65_535 + 1, None, at_us, Origin.LIVE, 1)
        for place, (at_us, one) in enumerate(out)
    ]


def record(folder: Path, messages: Sequence[RawMessage], limits: StoreLimits | None = None) -> Workspace:
    """As the recorder does it, on a clock that follows the messages."""
    clock = FakeClock(messages[0].received_us - 1_000_000)
    workspace = Workspace.at(folder)
    writer = StoreWriter(workspace, clock, limits or StoreLimits())
    reader, keeper = Reader(writer.names, "agents", clock), PresenceKeeper()
    writer.begin_capture("mqtt://127.0.0.1:1883", "digests")
    keeper.link_up(Instant.now(clock))
    slices = [messages[at : at + BATCH] for at in range(0, len(messages), BATCH)]
    for some in [*slices, ()]:
        last_us = some[-1].received_us + 1_000 if some else clock.wall_us() + WAIT_US
        clock.advance(max(0, last_us - clock.wall_us()))
        batch, now = reader.read(some), Instant.now(clock)
        batch.presence += keeper.observe(batch, now)
        batch.presence += keeper.tick(now)
        writer.commit(batch)
        writer.housekeep()
    writer.close()
    return workspace
