"""The window process, from the command line to its exit code."""

import argparse
import logging
import os
import time
from pathlib import Path
from typing import BinaryIO

from app.crash_file import forget_crashes, watch_for_crashes
from models.domain.problems import ExitCode

log = logging.getLogger("window")


def run(args: argparse.Namespace) -> int:
    """Show the window, or what else needs one (`shot`). Raises `EnvironmentProblem`."""
    if args.command == "shot":
        from app.window.shot import run_shot

        return run_shot(args)
    return _run_window(args)


def _run_window(args: argparse.Namespace) -> int:
    from app.demo_workspace import is_demo, prepare_demo, refuse_other
    from app.window.first_window import raise_first_window
    from app.window.layout_file import LayoutFile, last_workspace
    from app.window.log_file import open_log
    from models.storage.workspace import Workspace

    layout = LayoutFile()
    saved = layout.load()
    workspace = Workspace.at(args.workspace) if args.workspace else last_workspace(saved)
    if args.command == "demo":
        workspace = workspace if args.workspace else Workspace.demo()
        refuse_other(workspace)
    if not args.new_window and raise_first_window(workspace):
        return ExitCode.OK
    if args.command == "demo":
        prepare_demo(workspace, args.agents, args.rate, args.speed)
    demo = is_demo(workspace)
    log_path = open_log()
    crashes = _watch_for_crashes(log_path)

    from app.window.application import make_application
    from app.window.composition import Composition, WindowOptions
    from app.window.error_hooks import ErrorHooks
    from app.window.first_paint import FirstPaint
    from app.window.first_window import FirstWindow
    from app.window.unix_signals import UnixSignals

    app = make_application()
    hooks = ErrorHooks()
    hooks.install()
    signals = UnixSignals()
    options = WindowOptions(
        layout=saved, file=layout, log=log_path, demo=demo, connect=args.connect, record_here=args.record_here
    )
    composition = Composition(app, workspace, options)
    first = FirstWindow(workspace, composition)
    first.raise_requested.connect(composition.raise_window)
    signals.asked_to_end.connect(composition.window.close)
    hooks.faulted.connect(composition.show_faults)
    paint = FirstPaint(composition.window)
    paint.painted.connect(_say_painted)
    paint.painted.connect(first.listen)
    paint.painted.connect(composition.fill)
    composition.window.show()
    code = app.exec()
    last = (
        {} if demo or composition.looking is not None else {"workspace": str(workspace.root)}
    )  # the next start shows what is real
    layout.save({**composition.save_layout(), **last})
    first.close()
    composition.close()
    signals.close()
    hooks.uninstall()
    if crashes is not None:
        forget_crashes(crashes)
    return code


def _watch_for_crashes(log_path: Path | None) -> BinaryIO | None:
    try:
        # every window has one: it goes with its process
        name = f"window-{os.getpid()}.crash"
        return watch_for_crashes(log_path.with_name(name)) if log_path is not None else None
    except OSError as error:
        log.warning("a crash would leave no trace: %s", error)
        return None


def _say_painted() -> None:
    """The figure that start-up is measured by."""
    log.info("first paint %d ms after the start of the process", _age_s() * 1000)


def _age_s() -> float:
    """Of this process, to a hundredth. (psutil's is off by up to a second: it counts from the whole second of the boot.)"""
    started_ticks = int(Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started_ticks / os.sysconf("SC_CLK_TCK")
