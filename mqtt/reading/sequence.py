"""Publishers' own numbering: (topic, boot, seq). Finds repeats and what never arrived.

A gap is told at the end of the batch in which it was seen, so that messages that change places inside a batch make none.
Numbers without a boot text prove nothing and are not used.
"""

from itertools import islice

from models.domain.records import Gap, GapCause

WINDOW = 4_096
"""A number this far back is a repeat; further back, the publisher started its numbering again."""
MOST_BELIEVED = 1_000_000
"""A jump larger than this is a new numbering, not a gap."""
HOLES_KEPT = 8
LONGEST_BOOT = 256
MOST_TOPICS = 200_000


class _Hole:
    """Numbers `start` … `end - 1` that did not arrive, but for those in `filled`."""

    __slots__ = ("end", "filled", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start, self.end = start, end
        self.filled: set[int] | None = None  # few holes ever are, and there are many holes

    def takes(self, number: int) -> bool:
        if not self.start <= number < self.end:
            return False
        if self.filled is None:
            self.filled = set()
        if number in self.filled:
            return False
        self.filled.add(number)
        return True

    @property
    def missing(self) -> int:
        return self.end - self.start - (len(self.filled) if self.filled else 0)


class TopicSequence:
    """Numbering of one topic: the present boot, and the one before."""

    __slots__ = ("agent", "boot", "earlier", "holes", "last_us", "next", "open_holes")

    def __init__(self, agent: int, open_holes: "list[tuple[_Hole, int, int, int]]") -> None:
        self.agent = agent
        self.open_holes = open_holes  # of this batch: (hole, agent, since, until)
        self.boot: str | None = None
        self.next = 0
        self.last_us = 0
        self.holes: list[_Hole] = []
        self.earlier: TopicSequence | None = None

    def repeated(self, boot: object, seq: object, received_us: int) -> bool:
        """Note a message; True where the publisher sent it before."""
        if boot == self.boot and seq == self.next and type(seq) is int:
            self.next += 1
            self.last_us = received_us
            return False
        if type(seq) is not int or type(boot) is not str or not 0 <= seq < 1 << 60 or len(boot) > LONGEST_BOOT:
            return False
        if boot == self.boot:
            return self._out_of_order(seq, received_us)
        if self.earlier is not None and self.earlier.boot == boot:
            return self.earlier._out_of_order(seq, received_us)  # noqa: SLF001 - of the same class
        self._start(boot, seq, received_us)
        return False

    def _start(self, boot: str, seq: int, received_us: int) -> None:
        first_ever = self.boot is None
        if not first_ever:
            self.earlier = earlier = TopicSequence(self.agent, self.open_holes)
            earlier.boot, earlier.next, earlier.last_us, earlier.holes = self.boot, self.next, self.last_us, self.holes
        self.boot, self.next, self.holes = boot, seq + 1, []
        if first_ever:  # what came before we listened is no gap, and no repeat when it comes late
            self.holes.append(_Hole(max(0, seq - WINDOW), seq))
        elif 0 < seq <= MOST_BELIEVED:
            self._open(0, seq, received_us)
        self.last_us = received_us

    def _out_of_order(self, seq: int, received_us: int) -> bool:
        if seq >= self.next:
            if seq - self.next > MOST_BELIEVED:
                self.holes.clear()
            elif seq > self.next:
                self._open(self.next, seq, received_us)
            self.next = seq + 1
        elif any(hole.takes(seq) for hole in self.holes):
            return False
        elif self.next - seq <= WINDOW:
            return True
        else:
            self.next = seq + 1
            self.holes.clear()
        self.last_us = received_us
        return False

    def _open(self, start: int, end: int, received_us: int) -> None:
        hole = _Hole(start, end)
        self.holes = [*self.holes[1 - HOLES_KEPT :], hole]
        self.open_holes.append((hole, self.agent, min(self.last_us, received_us), received_us))


class Sequences:
    """The numbering of all topics, bounded; the topics known longest are forgotten first."""

    def __init__(self) -> None:
        self._topics: dict[int, TopicSequence] = {}
        self._open_holes: list[tuple[_Hole, int, int, int]] = []

    def of(self, topic: int, agent: int) -> TopicSequence:
        found = self._topics.get(topic)
        if found is None:
            if len(self._topics) >= MOST_TOPICS:
                for old in list(islice(self._topics, MOST_TOPICS // 10)):
                    del self._topics[old]
            found = self._topics[topic] = TopicSequence(agent, self._open_holes)
        return found

    def missed(self, agent: int, since_us: int, until_us: int, count: int) -> None:
        """So many of an agent's messages did not come, by a numbering of its own."""
        self._open_holes.append((_Hole(0, count), agent, min(since_us, until_us), until_us))

    def gaps(self) -> list[Gap]:
        """What is still missing of the holes that opened since the last call."""
        gaps = [
            Gap(since, until, agent, GapCause.SEQUENCE, hole.missing)
            for hole, agent, since, until in self._open_holes
            if hole.missing
        ]
        self._open_holes.clear()  # shared with every topic: emptied, never replaced
        return gaps
