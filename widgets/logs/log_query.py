"""What the screen of logs looks for: a text, and the same as pills that can be switched off, turned round and taken away.

The text says what is looked for; pills that are switched off are remembered beside it. GUI thread.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from models.domain.clock import Clock
from models.domain.problems import EnvironmentProblem, Problem
from models.domain.search.parsing import LONGEST, joined, parse_parts
from models.domain.search.terms import Either, Not, Term
from models.domain.search.writing import written


@dataclass(frozen=True, slots=True)
class Pill:
    """One condition; `text` as somebody wrote it."""

    term: Term
    text: str
    enabled: bool = True

    @property
    def negated(self) -> bool:
        return isinstance(self.term, Not)


class LogQuery(QObject):
    """`changed`: other records are looked for. `shown`: the text, the pills or what is wrong are others. `settling`: a pill is
    about to change; whoever holds what somebody typed writes it now, or it would be replaced."""

    changed = Signal()
    shown = Signal()
    settling = Signal()

    def __init__(self, clock: Clock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self.text = ""
        self.pills: tuple[Pill, ...] = ()
        self.problem: Problem | None = None

    def term(self) -> Term:
        """What a record must meet now; times ago count from this moment. While the text makes no sense, what it said before."""
        return joined([part.term for part in parse_parts(text_of(self.pills), self._clock.wall_us())])

    @property
    def narrows(self) -> bool:
        return any(pill.enabled for pill in self.pills)

    def write(self, text: str) -> None:
        """Somebody typed: pills that were switched off stay beside what is said now."""
        self.text = text
        try:
            parts = parse_parts(text, self._clock.wall_us())
        except EnvironmentProblem as error:
            self.problem = error.problem
            self.shown.emit()
            return
        pills = [Pill(part.term, text[part.span.begin : part.span.end]) for part in parts]
        said = {pill.text for pill in pills}
        self._take([*pills, *(pill for pill in self.pills if not pill.enabled and pill.text not in said)], text)

    def add(self, term: Term) -> None:
        """Look for this as well. Its opposite goes; where it stands already nothing changes but that it counts."""
        self.settling.emit()
        opposite = term.term if isinstance(term, Not) else Not(term)
        pills = [pill for pill in self.pills if pill.term != opposite]
        if term in [pill.term for pill in pills]:
            pills = [replace(pill, enabled=True) if pill.term == term else pill for pill in pills]
        else:
            pills.append(Pill(term, written(term)))
        self._take(pills)

    def toggle(self, place: int) -> None:
        """Switch a pill off, or on again."""
        self._change(place, lambda pill: [replace(pill, enabled=not pill.enabled)])

    def invert(self, place: int) -> None:
        """From what must hold to what must not, and back."""

        def turned(old: Pill) -> list[Pill]:
            term = old.term.term if isinstance(old.term, Not) else Not(old.term)
            return [Pill(term, written(term), old.enabled)]

        self._change(place, turned)

    def remove(self, place: int) -> None:
        self._change(place, lambda _: [])

    def clear(self) -> None:
        """Look for everything."""
        self._take([])

    def _change(self, place: int, into: Callable[[Pill], list[Pill]]) -> None:
        """One pill, wherever it stands once what was typed is written; unless that took it away."""
        pill = self.pills[place]
        self.settling.emit()
        if pill in self.pills:
            place = self.pills.index(pill)
            self._take([*self.pills[:place], *into(pill), *self.pills[place + 1 :]])

    def _take(self, pills: Sequence[Pill], text: str | None = None) -> None:
        if text is None:
            text = text_of(pills)
            try:
                parse_parts(text, self._clock.wall_us())
            except EnvironmentProblem as error:  # it would be too long
                self.problem = error.problem
                self.shown.emit()
                return
        before = [pill.term for pill in self.pills if pill.enabled]
        self.pills, self.problem = tuple(pills), None
        self.text = text
        self.shown.emit()
        if [pill.term for pill in self.pills if pill.enabled] != before:
            self.changed.emit()


def text_of(pills: Sequence[Pill]) -> str:
    """What those say that are switched on, side by side."""
    on = [pill for pill in pills if pill.enabled]
    return " ".join(pill.text if len(on) == 1 or _is_one(pill) else f"({pill.text})" for pill in on)


def _is_one(pill: Pill) -> bool:
    """Does it say the same with something beside it? An `OR` does not, unless it stands in brackets."""
    if not isinstance(pill.term, Either):
        return True
    return len(pill.text) < LONGEST - 1 and parse_parts(f"{pill.text} x", 0)[0].span.end <= len(pill.text)
