"""Somebody at a window: every key and click goes through the X server, and is counted."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtGui import QImage

from tests.helpers.needs import program
from tests.helpers.poll import until
from tests.helpers.screen_reader import ScreenReader, Seen

T = TypeVar("T")
_KEY_MS = "8"
_GRAB = """
import sys
from PySide6.QtWidgets import QApplication
app = QApplication([])
app.primaryScreen().grabWindow(0).save(sys.argv[1], "PNG")
"""


class Person:
    """`actions` counts chords of keys, texts that were typed (each once) and clicks; `strokes` every key. `looked_s` is time
    spent on looking at the screen, which a person does with the eyes."""

    def __init__(self, environment: dict[str, str], reader: ScreenReader, folder: Path) -> None:
        self.reader = reader
        self.actions = self.strokes = 0
        self.looked_s = 0.0
        self._environment, self._folder = environment, folder
        self._tool = program("xdotool")

    def keys(self, *chords: str) -> None:
        """One after the other."""
        for chord in chords:
            self.actions += 1
            self.strokes += 1
            self._do("key", chord)

    def type(self, text: str) -> None:
        """Where the keyboard is."""
        self.actions += 1
        self.strokes += len(text)
        self._do("type", "--delay", _KEY_MS, text)

    def click(self, at: tuple[int, int], button: int = 1) -> None:
        """1 is the left button, 3 the right one."""
        self.actions += 1
        self._do("mousemove", str(at[0]), str(at[1]))
        self._do("click", str(button))

    def palette(self, text: str, *, asks: bool = False) -> None:
        """Whatever stands first there for this text; `asks`: it opens a dialog."""
        before = self._windows()
        self.keys("ctrl+k")
        until(lambda: self._windows() > before, "the palette is open")
        self.type(text)
        self.keys("Return")
        dialogs = 2 if asks else 1
        until(lambda: self._windows() == before + asks and len(self.reader.windows()) == dialogs, "the palette is gone")

    def see(self, what: Callable[[], T], name: str) -> T:
        """Wait until it can be seen; the window works meanwhile, so that this time counts."""
        return until(what, name, 30, 0.02)

    def look(self, at: Seen, find: Callable[[QImage], T]) -> T:
        """What can be found in a part of the screen as it is."""
        began_s = time.monotonic()
        path = self._folder / "look.png"
        self.keep(path)
        found = find(QImage(str(path)).copy(at.left, at.top, at.width, at.height))
        self.looked_s += time.monotonic() - began_s
        return found

    def keep(self, path: Path) -> None:
        """A picture of the screen."""
        subprocess.run([sys.executable, "-c", _GRAB, str(path)], env=self._environment, check=True)

    def _windows(self) -> int:
        command = [self._tool, "search", "--onlyvisible", "--class", "murmurscope"]
        return len(subprocess.run(command, env=self._environment, capture_output=True, check=False).stdout.split())

    def _do(self, *what: str) -> None:
        subprocess.run([self._tool, *what], env=self._environment, check=True)
