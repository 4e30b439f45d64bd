"""Pictures of what the window shows just now, for an incident."""

from pathlib import Path

from PySide6.QtGui import QImage

from app.window.explore_place import ExplorePlace
from app.window.places import EXPLORE
from models.domain.problems import trouble
from widgets.common.theme import ThemeHolder
from widgets.frame.main_window import MainWindow

Pictures = list[tuple[str, QImage]]
"""Each with its name."""


def pictures_at_hand(window: MainWindow, explore: ExplorePlace, themes: ThemeHolder) -> Pictures:
    """The window, and every panel while Explore is shown: a hidden one is of another time. GUI thread."""
    pictures = [("Window", window.grab().toImage())]
    if explore.screen is not None and window.shown_screen == EXPLORE:
        from widgets.explore.panel_out import panel_picture

        shown = window.time_range.current()
        pictures += [
            (panel.header.title.text(), panel_picture(panel, shown, themes.theme).toImage())
            for panel in explore.screen.desk.shown
        ]
    return pictures


def keep_pictures(pictures: Pictures, folder: Path) -> list[str]:
    """Write them into a folder of their own, by their names; answers the paths. Any thread. Raises `EnvironmentProblem`
    file.unusable."""
    paths = []
    for number, (name, picture) in enumerate(pictures, 1):
        one = folder / str(number)
        plain = "".join(sign if sign.isprintable() and sign != "/" else " " for sign in name)[:60].strip(" .")
        path = one / f"{plain or number}.png"
        try:
            one.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise trouble("file.unusable", path=str(one), detail=error.strerror or str(error)) from error
        if not picture.save(str(path), "PNG"):  # type: ignore[call-overload] # a path, as Qt has it
            raise trouble("file.unusable", path=str(path), detail="it cannot be written")
        paths.append(str(path))
    return paths
