"""What the investigations are about: a recorded fleet with five incidents in it, whose true answers are known here alone.

Fifty agents, from the beginning of the day before yesterday until now, read and stored by the recorder's own code under a clock
that is stepped. Times of the incidents are of yesterday, in UTC.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np

from app.simulation.fleet import SimulatedFleet
from models.domain.clock import Instant
from models.domain.messages import Origin, RawMessage
from models.domain.presence import PresenceKeeper
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from mqtt.bulk_publisher import Outgoing
from mqtt.reading.reader import Reader
from tests.helpers.clock import FakeClock

AGENTS, RATE = 50, 2.5
STEP_S, STATUS_EVERY_S = 30, 30
SLOW, SLOW_LOG = "router-4", "pool exhausted: none of 16 connections is free, waited 2.4 s"
FIRST_GONE, LAST_WORDS = "crawler-5", "no space left on /var/lib/crawler, giving up"
LATER_GONE, SILENT = "scout-3", "indexer-2"
DEPLOYED, BROKEN = "1.5.0", 11
"""The version that 17 agents got, and how many of them cannot do with it."""
PATTERN = "cannot decode envelope {n}: priority is not a number"
BUSY = tuple(f"planner-{n}" for n in range(1, 6))
BUSY_CPU, BUSY_FAILING = 0.88, 0.45
REQUEST, ASKER, ASKED, REPLY_S = "req-7731", "planner-2", "summariser-3", 4.4


def at(text: str, days: int = 0) -> float:
    """Unix seconds of a time of yesterday, or so many days after it."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    return datetime.combine(yesterday + timedelta(days=days), time.fromisoformat(text), UTC).timestamp()


@dataclass(slots=True)
class Truth:
    """What an investigation has to find."""

    cpu: dict[int, list[float]] = field(default_factory=lambda: {0: [], -1: []})
    """Of the busy agents from 9 to 12 o'clock, by day (0: yesterday)."""
    tasks: dict[int, list[bool]] = field(default_factory=lambda: {0: [], -1: []})
    """As above, whether each task that ended failed."""
    messages: int = 0

    def by_day(self) -> list[str]:
        """Mean CPU, and whether more than one task in five failed, yesterday and the day before."""
        told = []
        for day in (0, -1):
            failed = sum(self.tasks[day]) / len(self.tasks[day])
            told.append(
                f"CPU {sum(self.cpu[day]) / len(self.cpu[day]):.2f}, {'fails often' if failed > 0.2 else 'works'}"
            )
        return told

    def save(self, path: Path) -> None:
        path.write_text(
            json.dumps([list(self.cpu.values()), list(self.tasks.values()), self.messages]), encoding="utf-8"
        )

    @classmethod
    def load(cls, path: Path) -> "Truth":
        cpu, tasks, messages = json.loads(path.read_text(encoding="utf-8"))
        return cls(dict(zip((0, -1), cpu, strict=True)), dict(zip((0, -1), tasks, strict=True)), messages)


class _Story:
    """Says in steps what the fleet says, and changes it where something happens."""

    def __init__(self) -> None:
        self.fleet = SimulatedFleet(AGENTS, 6, illness=0)
        self.truth = Truth()
        self._random = np.random.default_rng(6)
        self._places = {id_: place for place, id_ in enumerate(self.fleet.ids)}
        self._deployed = [id_ for id_ in self.fleet.ids if id_.split("-")[0] in ("indexer", "summariser", "reviewer")][
            :17
        ]
        self._once = sorted(self._scenes(), key=lambda scene: scene[0])
        self.fleet.slowness[self._places["reviewer-2"]] = 6  # always; it is not what rose

    def step(self, since_s: float, until_s: float) -> list[tuple[float, Outgoing]]:
        """What is said in this time, in order."""
        fleet, places = self.fleet, self._places
        fleet.slowness[places[SLOW]] = 16 if at("14:03") <= since_s < at("14:12") else 1
        for id_ in BUSY:
            fleet.failing[places[id_]] = BUSY_FAILING if at("09:00") <= since_s < at("12:00") else 0.01
        for id_, gone in ((FIRST_GONE, "02:11:07"), (LATER_GONE, "02:11:49"), (SILENT, "02:10:20")):
            fleet.absent[places[id_]] = at(gone) < until_s <= at("02:40")  # silent in all of the step in which it goes
        said = fleet.statuses(since_s) if since_s % STATUS_EVERY_S == 0 else []
        said += fleet.next(round(RATE * (until_s - since_s)), since_s)
        gap_s = (until_s - since_s) / (len(said) + 1)
        told = [(since_s + place * gap_s, self._changed(one, since_s)) for place, one in enumerate(said)]
        while self._once and self._once[0][0] < until_s:
            told.append(self._once.pop(0))
        self.truth.messages += len(told)
        return sorted(told, key=lambda one: one[0])

    def _changed(self, message: Outgoing, now_s: float) -> Outgoing:
        """The load of the busy ones, the version of those that were deployed to."""
        kind = message.topic.rsplit(b"/", 1)[1]
        id_ = self.fleet.ids[self.fleet.sender(message)]
        hours = at("09:00") <= now_s < at("12:00")
        day = 0 if hours else -1 if at("09:00", -1) <= now_s < at("12:00", -1) else None
        if kind == b"status" and id_ in self._deployed and now_s >= at("16:30"):
            return self._with(message, version=DEPLOYED)
        if id_ not in BUSY or day is None:
            return message
        body = json.loads(message.payload)
        if kind == b"task" and body["state"] in ("completed", "failed"):
            self.truth.tasks[day].append(body["state"] == "failed")
        if kind == b"metrics":
            if hours:
                body["metrics"]["process.cpu.utilization"] = round(self._random.normal(BUSY_CPU, 0.03), 4)
                message = self._with(message, metrics=body["metrics"])
            self.truth.cpu[day].append(body["metrics"]["process.cpu.utilization"])
        return message

    @staticmethod
    def _with(message: Outgoing, **more: object) -> Outgoing:
        return message._replace(payload=json.dumps(json.loads(message.payload) | more).encode())

    def _scenes(self) -> Iterator[tuple[float, Outgoing]]:
        fleet, places = self.fleet, self._places
        for second in range(7, 500, 23):
            when = at("14:03") + second
            yield when, fleet.log(places[SLOW], when, "warn", SLOW_LOG, logger="router.pool", free=0, waited_s=2.4)
        last = at("02:11:05")
        yield last, fleet.log(places[FIRST_GONE], last, "fatal", LAST_WORDS, logger="crawler.disk")
        for id_, gone in ((FIRST_GONE, "02:11:07"), (LATER_GONE, "02:11:49")):
            yield at(gone), fleet.will(places[id_])
        now_s = datetime.now(UTC).timestamp()
        for number, id_ in enumerate(self._deployed[:BROKEN]):
            for turn in range(10_000):
                when = at("16:30") + 20 + number * 7 + turn * 601
                if when >= now_s:
                    break
                text = PATTERN.replace("{n}", str(1_000 + 31 * turn + number))
                yield when, fleet.log(places[id_], when, "error", text, logger="agent.envelope", version=DEPLOYED)
        asked = at("18:22:10") + 0.25
        body = {"question": "summarise source 17"}
        yield asked, fleet.say(places[ASKER], places[ASKED], asked, id=REQUEST, type="ask", body=body)
        body, answered = {"answer": "it says nothing new"}, asked + REPLY_S
        yield answered, fleet.say(places[ASKED], places[ASKER], answered, id=f"{REQUEST}-r", reply_to=REQUEST, type="answer", body=body)  # fmt: skip


def record(folder: Path) -> Truth:
    """Store all of it."""
    story, clock = _Story(), FakeClock(wall_us=round(at("00:00", -1) * 1e6))
    writer = StoreWriter(Workspace.at(folder), clock)
    keeper, reader = PresenceKeeper(), Reader(writer.names, "agents", clock)
    writer.begin_capture("mqtt://127.0.0.1", "investigations")
    keeper.link_up(Instant.now(clock))
    now_s, packet = datetime.now(UTC).timestamp() - STEP_S, 0
    while (since_s := clock.wall_us() / 1e6) < now_s:
        raw = []
        for when, one in story.step(since_s, since_s + STEP_S):
            packet = packet % 65_535 + 1
            raw.append(
                RawMessage(one.topic, one.payload, 1, False, False, packet, None, round(when * 1e6), Origin.LIVE, 1)
            )
        clock.advance(STEP_S * 1_000_000)
        batch = reader.read(raw)
        batch.presence = keeper.observe(batch, Instant.now(clock)) + keeper.tick(Instant.now(clock))
        writer.commit(batch)
        writer.housekeep()
    writer.close()
    return story.truth
