"""`incident`: a stretch of time as one zip that opens without the program."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from app.cli.export import Progress
from app.cli.telling import add_option, is_told
from app.cli.workspace_argument import workspace_of
from models.domain.problems import ExitCode

EPILOG = """\
examples:
  murmurscope incident --from 30m -o incident.zip
  murmurscope incident --from 2026-11-23T14:00 --to 2026-11-23T14:20 --agent planner-1 --agent crawler-7 -o incident.zip

The zip holds every dataset of that time as CSV (of each agent in a folder of its own, where some are named), pictures of the fleet
and of the first six agents that are named, and a page index.html that opens in any browser and fetches nothing.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `incident`."""
    parser.epilog = EPILOG
    parser.add_argument("--from", dest="since", metavar="T", required=True, help="what arrived at T or later")
    parser.add_argument("--to", dest="until", metavar="T", default="now", help="what arrived before T (default: now)")
    parser.add_argument(
        "--agent", dest="agents", metavar="A", action="append", default=[], help="of this agent; again for more"
    )
    parser.add_argument("--title", default="", help="headline of the page")
    parser.add_argument(
        "--picture",
        dest="pictures",
        metavar="PNG",
        action="append",
        default=[],
        help="a picture to put in, by its name; again for more",
    )
    parser.add_argument("--no-window", action="store_true", help="take no pictures of the window; quicker")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="write here; an older file is replaced")
    add_option(parser)


def run(args: argparse.Namespace) -> int:
    """Raises `EnvironmentProblem` "workspace.*", "store.*", "agent.unknown", "file.*", "time.unreadable"."""
    from app.incident import Incident, write_incident
    from app.incident_pictures import Picture, Taken, take_pictures
    from models.domain.clock import SystemClock
    from models.domain.time_range import parse_moment

    now_us = SystemClock().wall_us()
    since_us, until_us = parse_moment(args.since, now_us), parse_moment(args.until, now_us)
    agents, workspace = tuple(dict.fromkeys(args.agents)), workspace_of(args)
    given = [Picture(Path(one), Path(one).stem) for one in args.pictures]
    for number in (signal.SIGTERM, signal.SIGHUP):  # else nobody would take the unfinished file away
        signal.signal(number, lambda *_: sys.exit(ExitCode.FAILED))
    progress = Progress.of(args)
    with tempfile.TemporaryDirectory(prefix="murmurscope-") as folder:
        taken = Taken([], [], [])
        if not args.no_window:
            taken = take_pictures(workspace, since_us, until_us, agents, Path(folder))
        for reason in taken.reasons if not is_told(args) else ():
            print(f"murmurscope: no picture of {reason}", file=sys.stderr)
        incident = Incident(since_us, until_us, agents, args.title, (*given, *taken.pictures), tuple(taken.remarks))
        rows = write_incident(workspace, incident, Path(args.output), progress.show, progress.damaged)
    progress.end(rows)
    return ExitCode.FAILED if progress.damage else ExitCode.OK
