"""What the File menu does with history: export, import, check, read again."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.window.look_wanted import UNUSED
from widgets.common.actions import ActionRegistry

if TYPE_CHECKING:  # loaded when its screen is first wanted
    from app.window.data_place import DataPlace


class DataMenu(QObject):
    """Registers its actions at once; they are enabled when there is something to do them with. GUI thread."""

    def __init__(self, actions: ActionRegistry, parent: QObject) -> None:
        super().__init__(parent)
        self._actions, self._ids = actions, list[str]()
        self._data: DataPlace | None = None
        tr, add = self.tr, self._add
        add("export", tr("E&xport…"), lambda data: data.export(), "Ctrl+E", "export",
            tr("Write what is looked at as CSV or JSON lines"))  # fmt: skip
        add("picture", tr("Save pict&ure of the screen…"), lambda data: data.save_picture(), "Shift+F9", "",
            tr("Keep a picture of the screen that is shown, with its time, as a PNG file"))  # fmt: skip
        add("incident", tr("Sa&ve as an incident…"), lambda data: data.save_incident(), "Ctrl+Shift+S", "",
            tr("Put the time range of the selected agents into one file that opens without this program"))  # fmt: skip
        add("import", tr("&Import…"), lambda data: data.ask_files(), "Ctrl+I", "import",
            tr("Take in recorded traffic, or a backup"))  # fmt: skip
        add("import-workspace", tr("I&mport a workspace…"), lambda data: data.ask_folder(), None, "",
            tr("Take in what is new in the folder of another workspace"))  # fmt: skip
        add("verify", tr("C&heck every file"), lambda data: data.verify(), None, "",
            tr("Read every stored byte and compare check sums and counts"))  # fmt: skip
        add("reread", tr("Rea&d history again…"), lambda data: data.ask_reread(), None, "",
            tr("Derive everything once more from the stored messages, with the mapping rules as they are now"))  # fmt: skip

    def attach(self, data: "DataPlace", refusal: str) -> None:
        """There is history to work on; `refusal` says why nothing of it can be changed, empty: it can."""
        self._data = data
        for id_ in self._ids:
            refused = refusal if id_ in UNUSED else ""
            action = self._actions[id_]
            action.setEnabled(not refused)
            if refused:
                action.setToolTip(refused)
                action.setStatusTip(refused)

    def _add(
        self, name: str, text: str, do: "Callable[[DataPlace], None]", keys: str | None, icon: str, tip: str
    ) -> None:
        id_ = f"file.{name}"
        self._actions.add(id_, text, partial(self._run, do), keys, icon, "File", tip=tip).setEnabled(False)
        self._ids.append(id_)

    def _run(self, do: "Callable[[DataPlace], None]") -> None:
        if self._data is not None:
            do(self._data)
