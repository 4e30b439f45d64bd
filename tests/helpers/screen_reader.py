"""What a screen reader hears: the window's texts and places, asked over the accessibility bus as assistive programs do.

Needs dbus-daemon and at-spi2-registryd (Debian: dbus, at-spi2-core).
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.wrappers import DBusErrorResponse, Properties, unwrap_msg

from tests.helpers.needs import bound_to_parent, program
from tests.helpers.poll import until

_CONFIGURATION = "/usr/share/defaults/at-spi2/accessibility.conf"
_REGISTRY = "/usr/libexec/at-spi2-registryd"
_ROOT = "/org/a11y/atspi/accessible/root"
_TABLES = {"table", "tree", "tree table", "list"}
_SHOWING, _VISIBLE, _FOCUSED, _SELECTED, _ENABLED, _CHECKED = 25, 30, 12, 23, 8, 4  # bits of AtspiStateType


@contextmanager
def accessibility_bus(folder: Path, display: str) -> Iterator[str]:
    """A bus of its own with the registry of accessible programs on it; gives its address."""
    address = f"unix:path={folder}/a11y"
    environment = {"PATH": "/usr/bin:/bin", "DISPLAY": display, "AT_SPI_BUS_ADDRESS": address, "HOME": str(folder)}
    bus = subprocess.Popen(
        bound_to_parent([program("dbus-daemon"), f"--config-file={_CONFIGURATION}", "--nofork", "--nopidfile", f"--address={address}"]),
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until((folder / "a11y").exists, "the accessibility bus listens")
        registry = subprocess.Popen(
            bound_to_parent([_REGISTRY]), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield address
        finally:
            registry.terminate()
            registry.wait(10)
    finally:
        bus.terminate()
        bus.wait(10)


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing on the screen; its place in pixels of the screen."""

    owner: str
    path: str
    role: str
    name: str
    left: int = 0
    top: int = 0
    width: int = 0
    height: int = 0

    @property
    def middle(self) -> tuple[int, int]:
        return self.left + self.width // 2, self.top + self.height // 2


class ScreenReader:
    """Asks one program. One thread."""

    def __init__(self, address: str) -> None:
        self._bus: DBusConnection = open_dbus_connection(address)

    def close(self) -> None:
        self._bus.close()

    def windows(self) -> list[Seen]:
        """The windows of every program that told of itself, dialogs and menus too."""
        found = []
        for owner, path in self._children("org.a11y.atspi.Registry", _ROOT):
            found += [self._seen(*one) for one in self._children(owner, path)]
        return [one for one in found if one is not None and self._has(one, _SHOWING)]

    def all(self, role: str = "", name: str = "", within: Seen | None = None) -> list[Seen]:
        """Everything that is shown, in the order of the tree, without what is inside tables; `name` is a beginning."""
        found: list[Seen] = []
        left = [within] if within is not None else self.windows()[::-1]
        while left:
            one = left.pop()
            if role in ("", one.role) and one.name.startswith(name):
                found.append(one)
            if one.role not in _TABLES:
                inside = [self._seen(*child) for child in self._children(one.owner, one.path)]
                left += [child for child in reversed(inside) if child is not None and self._has(child, _SHOWING)]
        return found

    def find(self, role: str, name: str, limit_s: float = 20.0) -> Seen:
        """The first such thing; waits for it."""
        return until(lambda: next(iter(self.all(role, name)), None), f"{role} {name} is shown", limit_s, 0.05)

    def focused(self) -> Seen | None:
        """What has the keyboard."""
        return next((one for one in self.all() if self._has(one, _FOCUSED)), None)

    def text(self, one: Seen) -> str:
        """What is written in it."""
        return str(self._call(one.owner, one.path, "Text", "GetText", "ii", (0, -1)))

    def said(self, one: Seen) -> str:
        """Its description."""
        return str(self._property(one.owner, one.path, "Accessible", "Description"))

    def rows(self, table: Seen, most: int = 50) -> list[list[str]]:
        """The first rows of a table, cell by cell; none where it became another while it was read."""
        try:
            count = min(most, int(self._property(table.owner, table.path, "Table", "NRows")))
            columns = int(self._property(table.owner, table.path, "Table", "NColumns"))
            return [[self._cell(table, row, column).name for column in range(columns)] for row in range(count)]
        except DBusErrorResponse:
            return []

    def cell(self, table: Seen, row: int, column: int) -> Seen:
        """One cell of a table, with its place."""
        return self._cell(table, row, column)

    def column(self, table: Seen, column: int) -> str:
        """A column's title."""
        return str(self._call(table.owner, table.path, "Table", "GetColumnDescription", "i", (column,)))

    # ------------------------------------------------------------ inside

    def _cell(self, table: Seen, row: int, column: int) -> Seen:
        owner, path = self._call(table.owner, table.path, "Table", "GetAccessibleAt", "ii", (row, column))
        return self._seen(owner, path) or Seen(owner, path, "", "")

    def _children(self, owner: str, path: str) -> list[tuple[str, str]]:
        try:
            return list(self._call(owner, path, "Accessible", "GetChildren"))
        except DBusErrorResponse:
            return []

    def _seen(self, owner: str, path: str) -> Seen | None:
        try:
            role = str(self._call(owner, path, "Accessible", "GetRoleName"))
            name = str(self._property(owner, path, "Accessible", "Name"))
            place = self._call(owner, path, "Component", "GetExtents", "u", (0,)) if role != "application" else (0,) * 4
        except DBusErrorResponse:
            return None
        return Seen(owner, path, role, name, *place)

    def _has(self, one: Seen, state: int) -> bool:
        try:
            low, high = self._call(one.owner, one.path, "Accessible", "GetState")
        except DBusErrorResponse:
            return False
        return bool((low | high << 32) >> state & 1)

    def _call(
        self, owner: str, path: str, interface: str, method: str, kinds: str = "", values: tuple[Any, ...] = ()
    ) -> Any:
        address = DBusAddress(path, bus_name=owner, interface=f"org.a11y.atspi.{interface}")
        answer = unwrap_msg(self._bus.send_and_get_reply(new_method_call(address, method, kinds, values), timeout=10))
        return answer[0] if len(answer) == 1 else answer

    def _property(self, owner: str, path: str, interface: str, name: str) -> Any:
        address = DBusAddress(path, bus_name=owner, interface=f"org.a11y.atspi.{interface}")
        return unwrap_msg(self._bus.send_and_get_reply(Properties(address).get(name), timeout=10))[0][1]
