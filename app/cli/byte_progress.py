"""How far a command is with bytes, on one line of a terminal."""

import sys
import time

_EVERY_S = 0.1


class ByteProgress:
    """Writes to stderr; the line only where that is a terminal."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._next_s = 0.0

    def show(self, done: int, total: int) -> None:
        now_s = time.monotonic()
        if self._terminal and now_s >= self._next_s:
            self._next_s = now_s + _EVERY_S
            share = f" ({done / total:.0%})" if total else ""
            print(f"\r\033[K{size_text(done)} of {size_text(total)}{share}", end="", file=sys.stderr, flush=True)

    def tell(self, text: str) -> None:
        """A line that stays."""
        clear = "\r\033[K" if self._terminal else ""
        print(f"{clear}murmurscope: {text}", file=sys.stderr)

    def end(self, text: str) -> None:
        """What was done, in place of the line."""
        if self._terminal:
            print(f"\r\033[K{text}", file=sys.stderr)


def size_text(size_bytes: int) -> str:
    """Such as `12.3 MB`."""
    return f"{size_bytes / 1e6:,.1f} MB"
