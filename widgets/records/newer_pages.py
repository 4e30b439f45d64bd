"""Rows above those that are listed, where a list stands in the past: fetched page by page as one scrolls up."""

from collections.abc import Callable

from models.domain.queries import Failed, LogRequest, LogResult, MessageRequest, MessageResult, Result, RowKey, Ticket
from widgets.records.paged_model import PagedModel

Ask = Callable[[RowKey, Callable[[Result | Failed], None]], Ticket]


class NewerPages:
    """`ask` asks for what arrived after a row, oldest first; `grown` is told how many rows came in at the top, `caught_up` the
    newest row of all once there are none above. GUI thread."""

    def __init__(
        self, model: PagedModel, ask: Ask, grown: Callable[[int], None], caught_up: Callable[[RowKey | None], None]
    ) -> None:
        self._model, self._ask, self._grown, self._caught_up = model, ask, grown, caught_up
        self._at: RowKey | None = None
        self._ticket: Ticket | None = None

    @property
    def left(self) -> bool:
        """May there be rows above?"""
        return self._at is not None

    def begin(self, at: RowKey | None) -> None:
        """Everything up to this row is listed; None: so is everything above."""
        self.stop()
        self._at = at
        self.go_on()

    def go_on(self) -> None:
        """Ask for a page more, unless one is on its way."""
        if self._at is not None and self._ticket is None:
            self._ticket = self._ask(self._at, self._take)

    def stop(self) -> None:
        """Let go of the page that is on its way; `go_on` asks for it again."""
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None

    def _take(self, result: Result | Failed) -> None:
        self._ticket = None
        if not isinstance(result, LogResult | MessageResult):
            return  # what is listed stays true; scrolling asks again
        assert isinstance(result.request, LogRequest | MessageRequest)
        self._at = result.reach.searched
        self._model.put_first(result.rows[::-1])
        self._grown(len(result.rows))
        if self._at is None:
            self._caught_up(result.reach.newest)
        elif not result.rows:
            self.go_on()  # it looked as long as one page may
