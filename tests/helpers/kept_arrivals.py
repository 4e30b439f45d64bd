"""A journal in memory, for tests of what is acknowledged out of one."""

from collections.abc import Sequence

from models.domain.arrivals import Arrival, Source
from models.domain.messages import RawMessage
from mqtt.left_over import portions


def not_whole(arrival: Arrival) -> None:
    """Nothing is kept that cannot be read."""
    raise AssertionError(arrival)


class KeptArrivals:
    """`works`: may anything be kept at present?"""

    def __init__(self) -> None:
        self.works = True
        self.kept: list[tuple[Source, Arrival]] = []
        self.times = 0
        self._number = 0

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def keep(self, source: Source, arrivals: Sequence[Arrival]) -> bool:
        if self.works:
            self.kept += [(source, arrival) for arrival in arrivals]
            self.times += 1
        return self.works

    def messages(self) -> list[RawMessage]:
        """As the next start would read them."""
        if not self.kept:
            return []
        found = portions(self.kept[0][0], [arrival for _, arrival in self.kept], not_whole)
        return [message for portion in found for message in portion.messages]
