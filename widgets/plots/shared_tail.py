"""One tail for several views: each says what it wants to see, the store is asked for all of it together."""

from collections.abc import Callable

from models.domain.tail import Interest, Tail, TailPage


class SharedTail:
    """Hands out a `Tail` to every view. GUI thread."""

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._wanted: dict[TailShare, frozenset[int]] = {}

    def share(self) -> "TailShare":
        """A tail for one view; its interest adds to that of the others."""
        return TailShare(self, self._tail)

    def want(self, share: "TailShare", series: frozenset[int]) -> None:
        """Replace what this share wants."""
        before = frozenset().union(*self._wanted.values())
        self._wanted[share] = series
        now = frozenset().union(*self._wanted.values())
        if now != before:
            self._tail.set_interest(Interest(now))


class TailShare:
    """Implements `Tail`."""

    def __init__(self, shared: SharedTail, tail: Tail) -> None:
        self._shared, self._tail = shared, tail

    def follow(self, deliver: Callable[[TailPage], None]) -> None:
        """As in `Tail`."""
        self._tail.follow(deliver)

    def set_interest(self, interest: Interest) -> None:
        """As in `Tail`, for this view alone."""
        self._shared.want(self, interest.series)
