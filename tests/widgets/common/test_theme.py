import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from models.domain.presence_words import Condition, Presence
from models.domain.records import Level
from models.domain.resources import resource_path
from widgets.common.icons import Icons, draw_icon
from widgets.common.theme import DARK, LIGHT, Theme, ThemeHolder, contrast

TEXTS = (
    "text muted accent warning error good online late offline stopped unknown degraded maintenance".split()
)  # fmt: skip
BOTH = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#ffffff") == 1


@BOTH
def test_text_is_legible_on_every_ground(theme: Theme) -> None:
    pairs = {
        (token, ground): contrast(getattr(theme, token), getattr(theme, ground))
        for token in TEXTS
        for ground in ("window", "surface", "raised")
    }
    pairs["selection_text", "selection"] = contrast(theme.selection_text, theme.selection)
    pairs["accent_text", "accent"] = contrast(theme.accent_text, theme.accent)
    pairs |= {(f"level {level}", "surface"): contrast(theme.level(level), theme.surface) for level in Level}
    assert {pair: ratio for pair, ratio in pairs.items() if ratio < 4.5} == {}


@BOTH
def test_curves_stand_out_and_no_two_look_alike(theme: Theme) -> None:
    styles = [theme.series_style(index) for index in range(20)]
    assert min(contrast(style.colour, theme.surface) for style in styles) >= 3
    assert len(set(styles)) == 20
    assert all(style.dash == () for style in styles[:5])
    assert theme.series_style(20) == styles[0]


@BOTH
def test_presence_is_told_by_shape_alone(qapp, theme: Theme) -> None:
    """All shapes in one colour still differ, in at least a tenth of their pixels."""
    names = [path.stem for path in resource_path("icons").glob("presence-*.svg")]
    assert len(names) == 8
    images = {name: draw_icon(name, theme.text, 16).toImage() for name in names}
    for one in names:
        for other in names:
            different = sum(
                abs(images[one].pixelColor(x, y).alpha() - images[other].pixelColor(x, y).alpha()) > 60
                for x in range(16)
                for y in range(16)
            )
            assert one == other or different >= 20, (one, other, different)


def test_every_presence_has_an_icon_and_degraded_its_own(qapp: QApplication) -> None:
    icons = Icons(LIGHT)
    assert all(not icons.presence(presence).isNull() for presence in Presence)
    ok, degraded = (
        icons.presence(Presence.ONLINE, condition).pixmap(16, 16).toImage()
        for condition in (Condition.OK, Condition.DEGRADED)
    )
    assert ok != degraded


def test_all_shipped_icons_draw_something_in_the_asked_colour(qapp: QApplication) -> None:
    files = list(resource_path("icons").glob("*.svg"))
    assert len(files) >= 28
    for path in files:
        image = draw_icon(path.stem, "#ff0000", 32).toImage()
        colours = {
            image.pixelColor(x, y).name() for x in range(32) for y in range(32) if image.pixelColor(x, y).alpha() > 250
        }
        assert colours == {"#ff0000"}, path.name


def test_icons_are_sharp_at_scale_two(qapp: QApplication) -> None:
    pixmap = Icons(LIGHT).icon("fleet").pixmap(QSize(18, 18), 2.0)
    assert pixmap.size() == QSize(36, 36)
    drawn = draw_icon("fleet", LIGHT.text, 36).toImage()
    assert pixmap.toImage().pixelColor(8, 8) == drawn.pixelColor(8, 8)


def test_unknown_icon_is_a_mistake(qapp: QApplication) -> None:
    with pytest.raises(FileNotFoundError):
        Icons(LIGHT).icon("no-such")


def test_theme_switches_at_run_time_and_back(qapp: QApplication, qtbot: QtBot) -> None:
    holder = ThemeHolder(qapp, "light")
    light_icons = holder.icons
    with qtbot.waitSignal(holder.changed):
        holder.choose("dark")
    assert holder.theme is DARK
    assert holder.icons is not light_icons
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == DARK.window
    holder.toggle()
    assert holder.theme is LIGHT
    assert qapp.palette().color(QPalette.ColorRole.Base).name() == LIGHT.surface
    assert holder.choice == "light"
    with pytest.raises(ValueError, match="no theme"):
        holder.choose("pink")


def test_text_does_not_grow_with_every_holder(qapp: QApplication) -> None:
    ThemeHolder(qapp, "light")
    before = qapp.font().pixelSize()
    ThemeHolder(qapp, "dark")
    assert qapp.font().pixelSize() == before >= 13
