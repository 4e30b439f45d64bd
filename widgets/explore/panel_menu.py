"""The menu of a panel."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMenu

from models.domain.layouts.layout import Kind, Plotted, Shown, Side
from models.domain.pulse_figures import ERROR_RATIO
from models.domain.time_range import SECOND_US
from widgets.common.numbers import duration_text, value_text
from widgets.common.plain import visible
from widgets.explore.panel_curves import QUANTILES
from widgets.explore.resolving import FoundSeries

if TYPE_CHECKING:
    from widgets.explore.explore_panel import ExplorePanel
    from widgets.explore.explore_screen import ExploreScreen

_SPANS_S = (300, 3_600, 86_400, 7 * 86_400)
translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def fill_panel_menu(menu: QMenu, screen: "ExploreScreen", panel: "ExplorePanel") -> None:
    """Put in what can be done with this panel, which is at hand."""
    commands = screen.commands
    if panel.curves:
        _fill_series(menu.addMenu(translate("PanelMenu", "Draw")), panel)
        _fill_ways(menu.addMenu(translate("PanelMenu", "Draw as")), screen, panel)
    if panel.panel.plotted:
        gone = menu.addMenu(translate("PanelMenu", "Remove"))
        for plotted in panel.panel.plotted:
            gone.addAction(_name_of(plotted, panel), partial(commands.remove, [plotted]))
        if panel.resolved.missing and len(panel.panel.plotted) > 1:
            text = translate("PanelMenu", "All that is not in this workspace")
            gone.addSeparator()
            gone.addAction(text, partial(commands.remove, list(panel.resolved.missing)))
    _fill_kinds(menu.addMenu(translate("PanelMenu", "Show as")), screen, panel.panel.kind)
    menu.addAction(translate("PanelMenu", "Rename…"), commands.ask_title)
    if panel.has_curves:
        repeat = menu.addAction(translate("PanelMenu", "Repeat per agent"), commands.toggle_repeat)
        repeat.setCheckable(True)
        repeat.setChecked(panel.panel.repeat)
        _fill_spans(menu.addMenu(translate("PanelMenu", "Compare with")), screen, panel.panel.compare_s)
    if panel.may_tell_statistics:
        statistics = menu.addAction(translate("PanelMenu", "Statistics"), commands.toggle_statistics)
        statistics.setCheckable(True)
        statistics.setChecked(panel.panel.statistics)
    if panel.curves:
        _fill_thresholds(menu.addMenu(translate("PanelMenu", "Thresholds")), screen, panel)
    if (at_us := screen.moment()) is not None:
        menu.addSeparator()
        if name := _menu_text(panel.name_at_hand):
            logs = translate("PanelMenu", "&Logs of {agent} at this moment").replace("{agent}", name)
            messages = translate("PanelMenu", "&Messages of {agent} at this moment").replace("{agent}", name)
        else:
            logs = translate("PanelMenu", "&Logs of this moment")
            messages = translate("PanelMenu", "&Messages of this moment")
        menu.addAction(f"{logs}\tL", screen.ask_logs)
        menu.addAction(f"{messages}\tM", screen.ask_messages)
        menu.addAction(translate("PanelMenu", "Look at this moment"), partial(panel.look_at, at_us))
    menu.addSeparator()
    menu.addAction(translate("PanelMenu", "Save picture…"), screen.save_picture)
    if panel.has_curves:
        menu.addAction(translate("PanelMenu", "Save data as CSV…"), screen.save_data)
    menu.addSeparator()
    alone = screen.desk.only is not None
    text = translate("PanelMenu", "Show all panels") if alone else translate("PanelMenu", "Maximise")
    menu.addAction(text, screen.toggle_maximised)
    menu.addAction(translate("PanelMenu", "New panel at the right"), partial(commands.split, Side.RIGHT))
    menu.addAction(translate("PanelMenu", "New panel below"), partial(commands.split, Side.BELOW))
    menu.addAction(translate("PanelMenu", "Duplicate"), commands.duplicate)
    menu.addAction(translate("PanelMenu", "Close"), commands.close)


def _fill_ways(menu: QMenu, screen: "ExploreScreen", panel: "ExplorePanel") -> None:
    """What is counted: by how fast it rises, by how much, or as it counts. All counters together, and each series by itself."""
    ways: dict[Plotted, list[FoundSeries]] = {}
    for one in panel.resolved.found:
        if one.shown not in QUANTILES and one.plotted.role != ERROR_RATIO:
            ways.setdefault(one.plotted, []).append(one)
    counters = [one for plotted in ways.values() for one in plotted if one.is_counter]
    if counters and len(ways) > 1:
        _fill_way(menu.addMenu(translate("PanelMenu", "All counters")), screen, counters)
        menu.addSeparator()
    for plotted, found in ways.items():
        _fill_way(menu if len(ways) == 1 else menu.addMenu(_name_of(plotted, panel)), screen, found)
    menu.setEnabled(bool(ways))


def _fill_way(menu: QMenu, screen: "ExploreScreen", found: Sequence[FoundSeries]) -> None:
    for shown, text in (
        (Shown.RATE, translate("PanelMenu", "Rate per second")),
        (Shown.INCREASE, translate("PanelMenu", "Increase in each step")),
        (Shown.VALUE, translate("PanelMenu", "Value")),
    ):
        if shown is Shown.VALUE and all(one.is_counter and one.series < 0 for one in found):
            continue  # counted by the recorder, from no beginning
        wanted = Shown.AUTO if all(one.usual is shown for one in found) else shown
        action = menu.addAction(text, partial(screen.commands.draw_as, wanted, {one.plotted for one in found}))
        action.setCheckable(True)
        action.setChecked(all(one.shown is shown for one in found))


def _name_of(plotted: Plotted, panel: "ExplorePanel") -> str:
    names = [curve.name for curve in panel.curves if curve.found.plotted == plotted]
    return _menu_text(
        names[0] if len(names) == 1 else f"{plotted.agent} {plotted.metric or plotted.role or plotted.query}".strip()
    )


def _fill_kinds(menu: QMenu, screen: "ExploreScreen", chosen: Kind) -> None:
    for kind, text in (
        (Kind.PLOT, translate("PanelMenu", "Plot over time")),
        (Kind.DISTRIBUTION, translate("PanelMenu", "Distribution")),
        (Kind.VALUES, translate("PanelMenu", "Newest values")),
        (Kind.TABLE, translate("PanelMenu", "Table")),
        (Kind.HEAT, translate("PanelMenu", "Heat-map of all agents")),
    ):
        action = menu.addAction(text, partial(screen.commands.show_as, kind))
        action.setCheckable(True)
        action.setChecked(kind is chosen)


def _fill_spans(menu: QMenu, screen: "ExploreScreen", chosen: int) -> None:
    spans = [*_SPANS_S, chosen] if chosen and chosen not in _SPANS_S else _SPANS_S
    for span_s in spans:
        text = translate("PanelMenu", "{span} earlier").replace("{span}", duration_text(span_s * SECOND_US))
        action = menu.addAction(text, partial(screen.commands.compare, 0 if span_s == chosen else span_s))
        action.setCheckable(True)
        action.setChecked(span_s == chosen)
    menu.addAction(translate("PanelMenu", "Another span…"), screen.commands.ask_compare)


def _fill_thresholds(menu: QMenu, screen: "ExploreScreen", panel: "ExplorePanel") -> None:
    commands, plot = screen.commands.thresholds, panel.plot
    for unit in panel.resolved.units:
        if plot.menu_at is not None:
            value = plot.value_at(plot.menu_at, unit)
            text = translate("PanelMenu", "Set at {value}").replace("{value}", value_text(value, unit))
            menu.addAction(text, partial(commands.add, value, unit))
    menu.addAction(translate("PanelMenu", "Set…"), screen.ask_threshold)
    for place, one in enumerate(panel.panel.thresholds):
        text = translate("PanelMenu", "Remove {value}").replace("{value}", value_text(one.value, one.unit))
        menu.addAction(text, partial(commands.remove, place))


def _fill_series(menu: QMenu, panel: "ExplorePanel") -> None:
    """What the legend does with the mouse."""
    for place, curve in enumerate(panel.curves):
        action = menu.addAction(_menu_text(curve.name), partial(panel.toggle, place))
        action.setCheckable(True)
        action.setChecked(panel.is_on(place))


def _menu_text(name: str) -> str:
    return visible(name, 80).replace("&", "&&")
