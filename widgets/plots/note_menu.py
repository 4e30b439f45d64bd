"""How one writes and changes annotations on a plot: keys and the entries of its menu."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QMenu

from widgets.notes.book import Draft
from widgets.notes.note_texts import short_text
from widgets.plots.notes import NoteLayer

if TYPE_CHECKING:
    from widgets.plots.plot import TimePlot

_MOST_LISTED = 3
translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def ask_note(notes: NoteLayer, since_us: int, until_us: int) -> None:
    """Somebody wants to mark this."""
    notes.book.wanted.emit(Draft(since_us, until_us, notes.agents))


def note_key(plot: "TimePlot", notes: NoteLayer, event: QKeyEvent) -> bool:
    """A marks where the cursor stands (nowhere: the newest), while the mouse is dragged what it spans; Shift+A all that is
    shown. False: another key."""
    keys = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if event.key() != Qt.Key.Key_A or keys not in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier):
        return False
    frame = plot.frame
    if (dragged := plot.taken_selection()) is not None:
        ask_note(notes, *dragged)
    elif keys:
        ask_note(notes, frame.since_us, frame.until_us)
    else:
        at_us = plot.moment
        at_us = frame.until_us if at_us is None else at_us
        ask_note(notes, at_us, at_us)
    return True


def fill_notes(menu: QMenu, plot: "TimePlot", notes: NoteLayer) -> None:
    """What can be written here, and what can be done with what stands here."""
    at_us, frame = plot.moment, plot.frame
    here = notes.here(frame, plot.menu_at) if plot.menu_at is not None else []
    menu.addSeparator()
    for one in here[:_MOST_LISTED]:
        name = short_text(one).replace("&", "&&")
        text = translate("PlotMenu", "Edit annotation “{name}”…").replace("{name}", name)
        menu.addAction(text, partial(notes.book.edit_wanted.emit, one))
        text = translate("PlotMenu", "Delete annotation “{name}”").replace("{name}", name)
        menu.addAction(text, partial(notes.book.remove_wanted.emit, [one]))
    if at_us is not None:
        text = translate("PlotMenu", "Annotate this moment…\tA")
        menu.addAction(text, partial(ask_note, notes, at_us, at_us))
    text = translate("PlotMenu", "Annotate what is shown…\tShift+A")
    menu.addAction(text, partial(ask_note, notes, frame.since_us, frame.until_us))
    menu.addSeparator()
