"""`record`: the recorder in the foreground, or in the background of a window."""

import argparse

from app.cli.connection_arguments import add_connection_arguments, connection_from, secret_from
from app.cli.files import add_files_arguments, files_options
from app.cli.workspace_argument import workspace_of

EPILOG = """\
examples:
  murmurscope record --broker mqtt://broker.example
  murmurscope record --broker mqtts://me@broker.example --password-file secret --duration 3600
  murmurscope record --broker mqtt://broker.example --files /srv/fleet --files-format csv
  murmurscope record                       the broker this workspace had before, else one of its own

Prints one JSON line when it is ready. Ctrl+C stores what has arrived, then ends. A workspace that has no broker yet
remembers --broker; the password is never kept.

--files writes messages, samples, logs, interactions and connections as they are recorded, in the rows of "export": one file
for each day (UTC, by arrival) and 64 MiB, then compressed. A folder that is full or gone never stops recording; files that
are behind catch up. They are for their owner alone; a file that still grows is the one without .gz.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `record`."""
    parser.epilog = EPILOG
    add_connection_arguments(parser, required=False)
    parser.add_argument(
        "--duration", metavar="S", type=_seconds, help="end after so many seconds (default: when stopped)"
    )
    parser.add_argument(
        "--new-session", action="store_true", help="have the broker forget what it kept for us while nobody recorded"
    )
    add_files_arguments(parser)
    parser.add_argument("--with-window", action="store_true", help=argparse.SUPPRESS)  # ends after the last window


def run(args: argparse.Namespace) -> int:
    """Record until stopped. Raises `EnvironmentProblem` "workspace.*", "store.*", "broker.*" or "settings.unreadable"."""
    from app.recorder.main import RecordOptions, record

    given = connection_from(args, keyring=False)  # the recorder asks it, beside its work
    return record(
        workspace_of(args),
        RecordOptions(
            connection=given[0] if given else None,
            secret=given[1] if given else secret_from(args),
            duration_s=args.duration,
            with_window=args.with_window,
            files=files_options(args),
            new_session=args.new_session,
        ),
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError("a duration is a number of seconds over 0")
    return seconds
