"""What a message takes once it is sealed: `python -m tests.benchmarks.sealed_messages [--messages N] [--only NAME]`.

Every recording, and a simulated fleet, is replayed with fresh ids, times, numbers and texts, stored as the recorder does it, and
sealed by our own command. Raw are the bytes of topics and payloads. Prints JSON lines.
"""

import argparse
import random
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import apsw

from app.simulation.fleet import SimulatedFleet
from models.domain.messages import Origin, RawMessage
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from mqtt.reading.reader import Reader
from tests.benchmarks.measure import machine, run_measured, tell
from tests.helpers.clock import FIRST_WALL_US, FakeClock
from tests.helpers.reading import RECORDINGS, recorded

BATCH = 100
STEP_US = 2_000
_DATE = re.compile(rb"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d")
_HEX = re.compile(rb"[0-9a-f]{8,}|[0-9A-F]{8,}")
_NUMBER = re.compile(rb"\d+")
_SENTENCE = re.compile(rb"(?:[A-Za-z',.]+ ){3,}[A-Za-z',.]+")
_WORD = re.compile(rb"[a-z]{4,}")
_WORDS = [b"".join(random.Random(n).choices((b"ka", b"ter", b"lo", b"min", b"sta", b"ru", b"pe", b"vo", b"ing", b"da"), k=2 + n % 3)) for n in range(3_000)]  # fmt: skip


class Freshener:
    """The same message as another one would have been: other ids, numbers, times and words, all of the same length or so."""

    def __init__(self) -> None:
        self._chance = random.Random(20261127)

    def fresh(self, payload: bytes, at_us: int) -> bytes:
        if payload[:1] not in b'{["0123456789-abcdefghijklmnopqrstuvwxyz':
            return payload  # binary: its own numbers are not found by digits
        now = datetime.fromtimestamp(at_us / 1e6, UTC)
        payload = _SENTENCE.sub(lambda found: _WORD.sub(self._word, found[0]), payload)
        payload = _HEX.sub(self._id, payload)
        told = str(at_us)

        def number(found: re.Match[bytes]) -> bytes:
            text = found[0]
            if text[:2] in (b"17", b"16") and len(text) >= 10:
                return told[: len(text)].ljust(len(text), "0").encode()
            return text if len(text) < 3 else text[:1] + bytes(self._chance.choices(b"0123456789", k=len(text) - 1))

        parts = _DATE.split(payload)
        stamp = [now.strftime(f"%Y-%m-%d{mark.decode()}%H:%M:%S").encode() for mark in parts[1::2]]
        rest = [_NUMBER.sub(number, part) for part in parts[::2]]
        return b"".join(one for pair in zip(rest, [*stamp, b""], strict=True) for one in pair)

    def _word(self, _found: re.Match[bytes]) -> bytes:
        return _WORDS[min(int(self._chance.paretovariate(0.8)), len(_WORDS)) - 1]

    def _id(self, found: re.Match[bytes]) -> bytes:
        if found[0].isdigit():
            return found[0]
        text = bytes(self._chance.choices(b"0123456789abcdef", k=len(found[0])))
        return text.upper() if found[0].isupper() else text


def replayed(messages: Sequence[RawMessage], count: int) -> Iterator[RawMessage]:
    freshener = Freshener()
    for place in range(count):
        one, at_us = messages[place % len(messages)], FIRST_WALL_US + place * STEP_US
        payload = freshener.fresh(one.payload, at_us)
        yield one._replace(payload=payload, origin=Origin.LIVE, qos=1, packet_id=place % 65_535 + 1, received_us=at_us)


def fleet(count: int) -> Iterator[RawMessage]:
    simulated = SimulatedFleet(100, seed=3)
    for place in range(count):
        at_us = FIRST_WALL_US + place * STEP_US
        (one,) = simulated.next(1, at_us / 1e6)
        yield RawMessage(one.topic, one.payload, 1, False, False, place % 65_535 + 1, None, at_us, Origin.LIVE, 1)


def store(workspace: Workspace, messages: Iterator[RawMessage]) -> int:
    """Answers the raw bytes."""
    clock, raw, part = FakeClock(), 0, []
    writer = StoreWriter(workspace, clock)
    reader = Reader(writer.names, "agents", clock)
    writer.begin_capture("mqtt://127.0.0.1:1883", "sealed")
    for one in messages:
        part.append(one)
        raw += len(one.topic) + len(one.payload)
        if len(part) == BATCH:
            clock.advance(max(0, one.received_us - clock.wall_us()))
            writer.commit(reader.read(part))
            writer.housekeep()
            part = []
    writer.close()
    return raw


def measure(name: str, messages: Iterator[RawMessage], count: int) -> tuple[float, float]:
    """Tells of one recording; answers raw and sealed bytes."""
    folder = Path(tempfile.mkdtemp())
    try:
        workspace = Workspace.at(folder / "workspace")
        raw = store(workspace, messages)
        path, sealed = workspace.segment(1), workspace.sealing(1)
        argv = [sys.executable, "-m", "app", "seal-segment", "--workspace", str(workspace.root), "--segment", "1"]
        ran = run_measured(argv)
        assert ran.code == 0
        before, after = path.stat().st_size, sealed.stat().st_size
        tell(
            "sealed_messages", name, messages=count, raw_bytes_per_message=round(raw / count, 1),
            bytes_per_message=round(after / count, 1), of_raw=round(after / raw, 3), before_of_raw=round(before / raw, 3),
            messages_per_s=round(count / ran.seconds), cpu_s=round(ran.cpu_s, 2), peak_mib=ran.peak_mib,
            of_raw_by_table=tables_of(sealed, raw),
        )  # fmt: skip
        return raw, after
    finally:
        shutil.rmtree(folder)


def tables_of(path: Path, raw: int) -> dict[str, float]:
    connection = apsw.Connection(str(path))
    query = "SELECT name, sum(pgsize) FROM dbstat GROUP BY 1 ORDER BY 2 DESC LIMIT 7"
    found = {str(name): round(int(str(size)) / raw, 3) for name, size in connection.execute(query)}
    connection.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    tell("sealed_messages", "machine", **machine())
    names = [path.stem for path in sorted(RECORDINGS.glob("*.jsonl")) if args.only in path.stem]
    found = [measure(name, replayed(recorded(name), args.messages), args.messages) for name in names]
    if not args.only or args.only in "simulated-fleet":
        found.append(measure("simulated-fleet", fleet(args.messages), args.messages))
    raw, sealed = (sum(column) for column in zip(*found, strict=True))
    ratios = sorted(one / of for of, one in found)
    tell(
        "sealed_messages",
        "all",
        of_raw=round(sealed / raw, 3),
        worst=round(ratios[-1], 3),
        median=round(ratios[len(ratios) // 2], 3),
    )


if __name__ == "__main__":
    main()
