"""`shot`: the real window on a workspace, painted when all its questions are answered, saved as a picture."""

import argparse
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.demo_workspace import is_demo
from models.domain.problems import EnvironmentProblem, ExitCode, trouble
from models.storage.workspace import Workspace

if TYPE_CHECKING:  # Qt reads its environment when it is loaded
    from PySide6.QtGui import QPixmap
    from PySide6.QtWidgets import QWidget

    from app.window.composition import Composition

SCREENS = ("fleet", "agent", "explore", "logs", "messages", "tasks", "flow", "data", "connection")
LOOK_MS = 50
QUIET_LOOKS = 6  # so many looks in a row that find nothing to wait for
LIMIT_S = 20
LARGEST = 16_384


def run_shot(args: argparse.Namespace) -> int:
    """Starts no recorder and changes nothing. Raises `EnvironmentProblem` not-built, workspace.missing, agent.unknown,
    time.unreadable, option.unusable, query.deadline, file.unusable."""
    if args.screen not in SCREENS:
        raise trouble("not-built", command=f"shot {args.screen}")
    width, height = _size(args.size)
    if not 0.5 <= args.scale <= 8:
        raise trouble("option.unusable", option="--scale", value=str(args.scale), detail="it is not between 0.5 and 8")
    workspace = Workspace.at(args.workspace) if args.workspace else Workspace.default()
    if not workspace.catalogue.exists():
        raise trouble("workspace.missing", path=str(workspace.root))
    agent = _agent(workspace, args.agent, needed=args.screen == "agent")
    others = [json.loads(one) for one in args.then]
    os.environ["QT_SCALE_FACTOR"] = str(args.scale)
    if not any(os.environ.get(name) for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"

    from app.window.application import make_application
    from app.window.composition import Composition, WindowOptions
    from app.window.error_hooks import ErrorHooks

    logging.basicConfig(format="murmurscope: %(message)s", level=logging.WARNING)
    app = make_application(args.lang)
    hooks = ErrorHooks()
    hooks.install()
    composition = Composition(
        app, workspace, WindowOptions(theme=args.theme or "system", live=False, demo=is_demo(workspace))
    )
    try:
        _choose_range(composition, args.since, args.until)
        composition.window.resize(width, height)
        composition.window.show()
        composition.fill()
        _wait(composition)  # an agent is chosen in what is there
        _picture(composition, args, args.screen, agent, Path(args.output))
        for screen, name, path in others:
            try:
                _picture(composition, args, screen, _agent(workspace, name, needed=True), Path(path))
            except EnvironmentProblem as problem:  # the others come out all the same
                print(f"murmurscope: {problem}", file=sys.stderr)  # noqa: T201 - of a command
    finally:
        composition.close()
        composition.window.close()
        hooks.uninstall()
    return ExitCode.FAILED if hooks.count else ExitCode.OK


def _picture(composition: "Composition", args: argparse.Namespace, screen: str, agent: int, path: Path) -> None:
    target = bring_up(composition, screen, agent)
    _wait(composition)
    if not args.no_frame or target is not composition.window:
        _save(target.grab(), path)
        return
    from widgets.plots.captioned import captioned, span_caption

    shown, now = composition.window.shown_widget, composition.window.time_range.current()
    detail, theme = span_caption(now.since_us, now.until_us), composition.themes.theme
    _save(captioned(shown.grab(), shown.accessibleName(), detail, shown.font(), theme), path)


def _size(text: str) -> tuple[int, int]:
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdigit() and 1 <= int(part) <= LARGEST for part in parts):
        raise trouble("option.unusable", option="--size", value=text, detail="write it as 1600x1000")
    return int(parts[0]), int(parts[1])


def _agent(workspace: Workspace, name: str | None, *, needed: bool) -> int:
    """The local id of an agent by the name that exports use; 0: none was asked for."""
    if name is None:
        if needed:
            raise trouble("option.unusable", option="--agent", value="", detail="this screen shows one agent; name it")
        return 0
    from models.domain.queries import CancelToken, FleetRequest, FleetResult
    from models.storage.history.reader import HistoryReader

    reader = HistoryReader(workspace)
    try:
        for page in reader.answer(FleetRequest(with_retired=True), CancelToken()):
            assert isinstance(page, FleetResult)
            if name in page.id:
                return int(page.agent[page.id.index(name)])
    finally:
        reader.close()
    raise trouble("agent.unknown", agent=name)


def _choose_range(composition: "Composition", since: str | None, until: str | None) -> None:
    from models.domain.time_range import parse_moment

    now_us = composition.clock.wall_us()
    if since is None:
        if until is not None:
            raise trouble("option.unusable", option="--to", value=until, detail="it needs --from")
        return
    times = composition.window.time_range
    times.zoom(parse_moment(since, now_us), parse_moment(until, now_us) if until is not None else now_us)


def bring_up(composition: "Composition", screen: str, agent: int) -> "QWidget":
    """Show a screen, with this agent (0: none). Returns what the picture is to be taken of."""
    from app.window.places import AGENT, EXPLORE, LOGS, MESSAGES

    if screen == "connection":
        assert composition.connection is not None
        composition.connection.open()
        assert composition.connection.dialog is not None
        return composition.connection.dialog
    screens = composition.screens
    assert screens is not None
    if screen == AGENT:
        screens.open_agent(agent)
    else:
        composition.window.show_screen(screen)
        screens.fleet.select_agent(agent)
        fleet = screens.fleet.fleet
        if screen == EXPLORE and fleet is not None and agent:
            screens.explore.show_agents([fleet.id[fleet.agent.tolist().index(agent)]])
        if screen == LOGS:
            screens.logs_screen().show_only(agent)
        if screen == MESSAGES:
            screens.messages_screen().show_agent(agent)
    return composition.window


def _wait(composition: "Composition") -> None:
    """Let Qt work until nothing is asked, nothing waits to be drawn, and that for a while."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop, timer = QEventLoop(), QTimer()
    quiet = 0
    end_us = composition.clock.monotonic_us() + LIMIT_S * 1_000_000

    def look() -> None:
        nonlocal quiet
        quiet = quiet + 1 if composition.idle else 0
        if quiet >= QUIET_LOOKS or composition.clock.monotonic_us() >= end_us:
            loop.quit()

    timer.timeout.connect(look)
    timer.start(LOOK_MS)
    loop.exec()
    timer.stop()
    if quiet < QUIET_LOOKS:
        raise trouble("query.deadline", seconds=LIMIT_S)


def _save(picture: "QPixmap", path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if not picture.save(str(temporary), "PNG"):
            raise trouble("file.unusable", path=str(path), detail="it cannot be written")
        temporary.replace(path)
    except OSError as error:
        raise trouble("file.unusable", path=str(path), detail=error.strerror or str(error)) from error
    finally:
        temporary.unlink(missing_ok=True)
