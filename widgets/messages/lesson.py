"""What somebody wants to teach, of which message; and the menu that offers it."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMenu

from models.domain.json_path import Path
from models.domain.queries import MessageLine, RowKey
from models.domain.rules import Meaning

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class Lesson(NamedTuple):
    """`means` None: whatever fits best; `same`: the agent has another name. One of `line`, `key` and `topic` names the message;
    of a topic, its newest. `path`: the value that is pointed at; None: none is."""

    means: Meaning | None = None
    same: bool = False
    line: MessageLine | None = None
    key: RowKey | None = None
    topic: bytes = b""
    path: Path | None = None


def lesson_texts() -> dict[str, tuple[str, Lesson]]:
    """Name, title and what it is about, in the order in which they are offered."""
    return {
        "number": (translate("Lesson", "This &number is…"), Lesson(Meaning.NUMBER)),
        "agent": (translate("Lesson", "This a&gent is…"), Lesson(Meaning.AGENT)),
        "log": (translate("Lesson", "This is a &log record…"), Lesson(Meaning.LOG)),
        "status": (translate("Lesson", "This says &whether it is there…"), Lesson(Meaning.STATUS)),
        "same": (translate("Lesson", "&Same agent as…"), Lesson(same=True)),
        "ignore": (translate("Lesson", "&Ignore this topic…"), Lesson(Meaning.IGNORE)),
    }


def add_teach_menu(menu: QMenu, teach: Callable[[Lesson], object], about: Lesson, refusal: str) -> None:
    """Offer all of it for one message. `refusal`: why rules cannot be changed here; empty: they can."""
    offered = menu.addMenu(translate("Lesson", "&Teach"))
    offered.setEnabled(not refusal)
    if refusal:
        offered.menuAction().setText(translate("Lesson", "Teach: {why}").replace("{why}", refusal))
    add_lessons(offered, teach, about)


def add_lessons(menu: QMenu, teach: Callable[[Lesson], object], about: Lesson) -> None:
    """All of it, as entries of this very menu."""
    for text, one in lesson_texts().values():
        menu.addAction(text, partial(teach, about._replace(means=one.means, same=one.same)))
