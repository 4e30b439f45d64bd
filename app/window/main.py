"""The window process, from the command line to its exit code."""

import argparse
import logging
import time

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
    open_log()

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
    composition = Composition(app, workspace, WindowOptions(layout=saved, file=layout, demo=demo, connect=args.connect))
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
    last = {} if demo else {"workspace": str(workspace.root)}  # the next start shows what is real
    layout.save({**composition.save_layout(), **last})
    first.close()
    composition.close()
    signals.close()
    hooks.uninstall()
    return code


def _say_painted() -> None:
    """The figure that start-up is measured by."""
    import psutil

    age_ms = (time.time() - psutil.Process().create_time()) * 1000
    log.info("first paint %d ms after the start of the process", age_ms)
