"""What the command palette offers, and which of it fits what was typed. No widget in here."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PySide6.QtGui import QIcon


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """One line: `title` and `detail` are translated or made visible, `shortcut` is how the key is written here. `key` names
    it over restarts, so that what was used last comes first; empty: not remembered."""

    key: str
    title: str
    detail: str
    run: Callable[[], object]
    shortcut: str = ""
    icon: QIcon = field(default_factory=QIcon)


_START, _WORD, _INSIDE, _DETAIL, _LETTERS = range(5)
"""How well a word fits, best first: begins the title, begins a word of it, stands in it, stands in the detail, or its letters
stand in the title in this order."""
_WORD_EDGE = re.compile(r"[\W_]")


class PaletteSearch:
    """Finds in a fixed list. Every word that was typed must fit; among equally good entries those used last come first, then
    the order of the list."""

    def __init__(self, entries: Sequence[PaletteEntry], recent: Sequence[str]) -> None:
        """`recent`: keys of entries, the last used first."""
        self._entries = entries
        self._titles = [entry.title.casefold() for entry in entries]
        self._texts = [
            f"{title}\n{entry.detail.casefold()}" for title, entry in zip(self._titles, entries, strict=True)
        ]
        places = {key: place for place, key in enumerate(recent)}
        self._ranks = [places.get(entry.key, len(places)) for entry in entries]

    def find(self, typed: str) -> list[PaletteEntry]:
        """Everything that fits, best first; all of it where nothing was typed."""
        words = typed.casefold().split()
        whole = " ".join(words)
        found: list[tuple[bool, int, int, int]] = []
        patterns = [_letters(word) for word in words]
        for place, text in enumerate(self._texts):
            score = 0
            for word, letters in zip(words, patterns, strict=True):
                how = self._fit(place, text, word, letters)
                if how is None:
                    break
                score += how
            else:
                found.append((self._titles[place] != whole, score, self._ranks[place], place))
        found.sort()
        return [self._entries[place] for *_, place in found]

    def _fit(self, place: int, text: str, word: str, letters: re.Pattern[str]) -> int | None:
        title = self._titles[place]
        at = text.find(word)
        if at == 0:
            return _START
        if at < 0:
            return _LETTERS if letters.search(title) else None
        if at >= len(title):
            return _DETAIL
        while 0 < at < len(title):
            if _WORD_EDGE.match(title, at - 1):
                return _WORD
            at = title.find(word, at + 1)
        return _INSIDE


def _letters(word: str) -> re.Pattern[str]:
    """The letters of a word in this order, whatever stands between; one letter alone fits nothing that way."""
    return re.compile(".*?".join(map(re.escape, word)) if len(word) > 1 else r"(?!)")
