"""What every recording, and a simulated fleet of our own agents, comes to in the exports: not a byte changes by itself.

The digests stand in `tests/recordings/exports.sha256`, a line for each dataset. Whoever changes what is read on purpose
makes them anew: `MURMURSCOPE_NEW_DIGESTS=1 pytest tests/integration/test_recordings_exported.py`, and looks at the difference.
"""

import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.simulation.fleet import SimulatedFleet
from models.domain.clock import Instant
from models.domain.messages import Origin, RawMessage
from models.domain.presence import PresenceKeeper
from models.storage.export import DATASETS, export
from models.storage.workspace import Workspace
from models.storage.writer import StoreWriter
from mqtt.reading.reader import Reader
from tests.helpers.clock import FIRST_WALL_US, FakeClock
from tests.helpers.reading import RECORDINGS, recorded

DIGESTS = RECORDINGS / "exports.sha256"
NAMES = [path.stem for path in sorted(RECORDINGS.glob("*.jsonl"))]
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


def of_our_own_agents() -> list[RawMessage]:
    fleet, out = SimulatedFleet(40, seed=7, illness=0.2), []
    for step in range(60):
        at_us = FIRST_WALL_US + step * 400_000
        said = (fleet.statuses(at_us / 1e6) if step % 20 == 0 else []) + fleet.next(50, at_us / 1e6)
        out += [(at_us + 7_000 * place, one) for place, one in enumerate(said)]
    return [
        RawMessage(one.topic, one.payload, 1, False, False, place % 65_535 + 1, None, at_us, Origin.LIVE, 1)
        for place, (at_us, one) in enumerate(out)
    ]


def record(folder: Path, messages: Sequence[RawMessage]) -> Workspace:
    """As the recorder does it, on a clock that follows the messages."""
    clock = FakeClock(messages[0].received_us - 1_000_000)
    workspace = Workspace.at(folder)
    writer = StoreWriter(workspace, clock)
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


def digests(name: str, workspace: Workspace) -> list[str]:
    """One line for each dataset, as `sha256sum` prints them."""
    found = []
    for dataset in DATASETS:
        written = io.BytesIO()
        export(workspace, dataset, written)
        found.append(f"{hashlib.sha256(written.getvalue()).hexdigest()}  {name}/{dataset}.csv")
    return found


@pytest.mark.parametrize("name", [*NAMES, "simulated-fleet"])
def test_exports_stay_as_they_are(name: str, tmp_path: Path) -> None:
    messages = of_our_own_agents() if name == "simulated-fleet" else as_live(recorded(name))
    found = digests(name, record(tmp_path / "workspace", messages))
    known = DIGESTS.read_text().splitlines() if DIGESTS.exists() else []
    if os.environ.get("MURMURSCOPE_NEW_DIGESTS"):
        others = [line for line in known if not line.partition("  ")[2].startswith(f"{name}/")]
        DIGESTS.write_text("\n".join(sorted(others + found, key=lambda line: line.partition("  ")[2])) + "\n")
        return
    assert [line for line in known if line.partition("  ")[2].startswith(f"{name}/")] == sorted(
        found, key=lambda line: line.partition("  ")[2]
    )
