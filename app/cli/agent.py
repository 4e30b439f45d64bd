"""`agent`: this computer, its busiest processes and chosen log files as agents."""

import argparse

from app.cli.connection_arguments import add_connection_arguments, connection_from

EPILOG = """\
examples:
  murmurscope agent --broker mqtt://broker.example                          figures of this computer
  murmurscope agent --broker mqtt://broker.example --processes 8            and of its eight busiest process names
  murmurscope agent --broker mqtt://broker.example --tail logs/app.log      and each line added to a log file

Every process name is an agent HOST-NAME of its own, chosen again each minute; those that leave say goodbye.
A line belongs to the agent that it names (agentId, agent_id, agent), else to this computer's. Files may be renamed, truncated,
or appear later; of what is there already nothing is read.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `agent`."""
    parser.epilog = EPILOG
    add_connection_arguments(parser, required=True)
    parser.add_argument("--id", metavar="ID", help="id of this computer's agent (default: its host name)")
    parser.add_argument(
        "--interval", type=_seconds, default=2.0, metavar="S", help="seconds between figures (default: 2)"
    )
    parser.add_argument("--processes", type=int, default=0, metavar="N", help="so many busiest process names as agents")
    parser.add_argument("--tail", nargs="+", default=[], metavar="FILE", help="follow these files")
    parser.add_argument("--also-pid", action="append", default=[], type=_named_pid, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Publish until Ctrl+C. Raises `EnvironmentProblem` "broker.*"."""
    from pathlib import Path

    from app.ending import Ending
    from app.reporter.reporter import Reporter, ReporterOptions

    given = connection_from(args)
    assert given is not None, "--broker is required"
    ending = Ending()
    options = ReporterOptions(
        id=args.id or "",
        interval_s=args.interval,
        processes=args.processes,
        files=tuple(Path(name).expanduser() for name in args.tail),
        named=dict(args.also_pid),
    )
    Reporter(given[0], given[1], options).run(ending.asked)
    return ending.exit_code


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.2 <= seconds <= 3_600:
        raise argparse.ArgumentTypeError("between 0.2 and 3600 seconds")
    return seconds


def _named_pid(text: str) -> tuple[int, str]:
    name, equals, pid = text.partition("=")
    if not (equals and name and pid.isdigit()):
        raise argparse.ArgumentTypeError("NAME=PID")
    return int(pid), name
