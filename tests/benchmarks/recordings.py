"""What the recordings of real programs are read as, and how quickly.

    python -m tests.benchmarks.recordings                        a table: agents, series, logs, tasks …
    python -m tests.benchmarks.recordings --only homie4-clean-stop --series
    python -m tests.benchmarks.recordings --rate --runs 3        all of them in a loop beside our own contract, µs of each

The table is read in one batch a recording, with a reader of its own; presence is that at the last record, as an import tells it.
The rate is of reading alone: thread time, of batches of 1,000 messages; names, aliases and plans are known after the first turn.
"""

import argparse
import time
from collections import Counter

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
SECONDS = 2.0


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
        own = cost_us(own_contract())
        every = {name: recorded(name) for name in names}
        mixed = cost_us([message for messages in every.values() for message in messages])
        rows.append(tell("recordings", "own contract", run=run, us=own))
        rows += [tell("recordings", name, run=run, us=cost_us(messages)) for name, messages in every.items()]
        rows.append(tell("recordings", "all in a loop", run=run, us=mixed, of_own_rate=own / mixed))
    summarise("recordings", rows, ("us", "of_own_rate"))


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


def own_contract() -> list[RawMessage]:
    """So many messages of our own contract as a batch holds, times a few."""
    made = batches(FEEDS["contract"](), BATCH, BATCH, 4, ARRIVAL_US, 20_000)
    return [message for batch in made for message in batch]


def cost_us(messages: list[RawMessage]) -> float:
    """Of one message, in the long run."""
    reader = Reader(Names(), "agents", FakeClock())
    parts = [messages[at : at + BATCH] for at in range(0, len(messages), BATCH)]
    for part in parts:
        reader.read(part)
    spent = count = 0.0
    while spent < SECONDS:
        for part in parts:
            began = time.thread_time()
            reader.read(part)
            spent += time.thread_time() - began
            count += len(part)
    return spent / count * 1e6


if __name__ == "__main__":
    main()
