"""What the recordings of real programs are read as, and how quickly.

    python -m tests.benchmarks.recordings                        a table: agents, series, logs, tasks …
    python -m tests.benchmarks.recordings --only homie4-clean-stop --series
    python -m tests.benchmarks.recordings --rate --runs 3        all of them in a loop beside our own contract, µs of each

The table is read in one batch a recording, with a reader of its own; presence is that at the last record, as an import tells it.

The rate is of reading alone, without store and broker: thread time of the messages as an import hands them over. What is
compared is messages a second, whatever they hold: 1,000 of our own contract and all recordings, as one batch, are read in turns, so
that both see the same machine, and each figure is the median of the turns. The recordings come with everything that was published
(announcements, retained replays, births, wills), round after round by the same reader, so that names and plans are known. Beside it
stand the points and records read a second, as an export of OTLP holds a hundred and a word of presence one: there only what is
read is compared. Of one recording a batch is as many repetitions as make 1,000 messages.
"""

import argparse
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from models.domain.batch import RecordBatch
from models.domain.clock import Instant
from models.domain.messages import RawMessage
from models.domain.names import Names
from models.domain.presence import PresenceKeeper
from models.domain.records import TaskState
from mqtt.reading.reader import Reader
from tests.benchmarks.feeds import FEEDS, batches
from tests.benchmarks.measure import machine, summarise, tell
from tests.helpers.clock import FakeClock
from tests.helpers.reading import ARRIVAL_US, RECORDINGS, Reading, recorded

BATCH = 1_000
SECONDS = 0.5
MIXED_SECONDS = 8.0
WARM = 5
"""First turns that do not count."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", default="")
    options.add_argument("--series", action="store_true", help="every series with its points and unit")
    options.add_argument("--rate", action="store_true")
    options.add_argument("--runs", type=int, default=3)
    chosen = options.parse_args()
    names = sorted(path.stem for path in RECORDINGS.glob("*.jsonl") if chosen.only in path.stem)
    if not chosen.rate:
        for name in names:
            show(name, every_series=chosen.series)
        return
    tell("recordings", "machine", **machine())
    rows = []
    for run in range(chosen.runs):
        every = {name: recorded(name) for name in names}
        for name, messages in every.items():
            (alone,) = costs([over_again(messages * -(-BATCH // len(messages)))], SECONDS)
            rows.append(tell("recordings", name, run=run, us=alone.us))
        loop = over_again([message for messages in every.values() for message in messages])
        own, mixed = costs([own_contract(), loop], MIXED_SECONDS)
        for what, cost in (("own contract", own), ("all in a loop", mixed)):
            rows.append(
                tell("recordings", what, run=run, us=cost.us, messages_per_s=1e6 / cost.us, read_per_s=cost.read_per_s)
            )
        rows.append(
            tell(
                "recordings",
                "of own rate",
                run=run,
                messages_per_s=own.us / mixed.us,
                read_per_s=mixed.read_per_s / own.read_per_s,
            )
        )
    summarise("recordings", rows, ("us", "messages_per_s", "read_per_s"))


def show(name: str, *, every_series: bool) -> None:
    reading, keeper, messages = Reading(), PresenceKeeper(), recorded(name)
    batch = reading.read(*messages)
    at_us = messages[-1].received_us
    presence: dict[str, str] = {}
    for change in keeper.observe(batch, Instant(at_us, at_us)):
        presence[reading.names.agents[change.agent]] = f"{change.presence.name.lower()} ({change.cause})"
    points = Counter((one.agent, one.metric, one.unit) for one in reading.points)
    print(f"\n{name}: {len(messages)} messages")
    print("  agents       ", ", ".join(sorted(reading.agents())) or "–")
    print(f"  series        {len(reading.names.series) - 1}, {len(reading.points)} points")
    if every_series:
        for (agent, metric, unit), count in sorted(points.items()):
            print(f"                {agent} · {metric} · {unit or '–'} · {count}")
    print("  logs         ", _counted(Counter(one.level.name.lower() for one in batch.logs)))
    ends: dict[str, TaskState] = {one.task: one.state for one in batch.tasks}
    print("  tasks        ", _counted(Counter(state.word for state in ends.values())), f"({len(batch.tasks)} reports)")
    print("  interactions ", _counted(Counter(one.outcome.name.lower() for one in batch.interactions)))
    print("  attempts     ", _counted(Counter(one.outcome.name.lower() for one in batch.attempts)))
    print("  presence     ", ", ".join(f"{agent} {said}" for agent, said in sorted(presence.items())) or "–")
    print("  unreadable   ", _counted(Counter(one.reason for one in batch.unreadable)))


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(found.items())) or "–"


def own_contract() -> Iterator[list[RawMessage]]:
    """Batches of our own contract. Fresh ones all the time: what was sent before would be told by its number, and not be read."""
    return batches(FEEDS["contract"](), BATCH, BATCH, sys.maxsize, ARRIVAL_US, 20_000)


def over_again(messages: list[RawMessage]) -> Iterator[list[RawMessage]]:
    """Of fresh bytes each time, as a socket gives them."""
    while True:
        yield [one._replace(topic=_fresh(one.topic), payload=_fresh(one.payload)) for one in messages]


def _fresh(data: bytes) -> bytes:
    return bytes(bytearray(data))


class Cost(NamedTuple):
    us: float  # of a message
    read_per_s: float  # points and records


def costs(feeds: list[Iterator[list[RawMessage]]], seconds: float) -> list[Cost]:
    """Of what is read in turns, each by a reader of its own, in the long run."""
    readers = [Reader(Names(), "agents", FakeClock()) for _ in feeds]
    spent: list[list[float]] = [[] for _ in feeds]
    held = [(0, 0)] * len(feeds)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends or len(spent[0]) <= WARM:
        for place, (reader, feed) in enumerate(zip(readers, feeds, strict=True)):
            messages = next(feed)
            began = time.thread_time()
            batch = reader.read(messages)
            spent[place].append(time.thread_time() - began)
            held[place] = len(messages), _read(batch)
    each = [statistics.median(turns[WARM:]) for turns in spent]
    return [Cost(s / messages * 1e6, read / s) for s, (messages, read) in zip(each, held, strict=True)]


def _read(batch: RecordBatch) -> int:
    records = batch.logs, batch.tasks, batch.interactions, batch.attempts, batch.evidence, batch.declarations
    return len(batch.sample_value) + sum(map(len, records))


if __name__ == "__main__":
    main()
