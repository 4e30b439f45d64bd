"""What the window starts to look at a backup or a copied workspace: a folder that stands in for it."""

import argparse
import signal
import sys
from pathlib import Path

from app.cli.telling import Teller, add_option
from models.domain.problems import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For us alone."""
    parser.add_argument("source")
    parser.add_argument("folder")
    add_option(parser)


def run(args: argparse.Namespace) -> int:
    """Make it, or leave nothing. What killed windows left is removed before. Raises the problems of `stand_in`."""
    from app.looked_at import sweep
    from models.domain.clock import SystemClock
    from models.storage.copies.stand_in import remove_stand_in, stand_in

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(ExitCode.FAILED))
    teller, folder = Teller(), Path(args.folder)

    def show(done: int, total: int) -> None:
        teller.progress(done=done, total=total)

    try:
        sweep()
        found = stand_in(Path(args.source), folder, SystemClock(), show)
    except BaseException:
        remove_stand_in(folder)
        raise
    teller.tell("result", {
        "made_us": found.made_us, "since_us": found.since_us, "until_us": found.until_us, "host": found.host,
        "missing": found.missing,
    })  # fmt: skip
    return ExitCode.OK
