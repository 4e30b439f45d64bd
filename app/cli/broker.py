"""`broker`: an embedded broker in the foreground."""

import argparse

from app.cli.workspace_argument import workspace_of

EPILOG = """\
example:
  murmurscope broker --port 1883

Listens on this computer only. User, password and port stay the same over restarts. Ctrl+C ends it.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `broker`."""
    parser.epilog = EPILOG
    parser.add_argument("--port", metavar="P", type=_port, default=0, help="port to listen on (default: a free one)")


def run(args: argparse.Namespace) -> int:
    """Run until interrupted. Raises `EnvironmentProblem` "system.missing" or "embedded.start"."""
    from app.recorder.standalone_broker import run_broker

    return run_broker(workspace_of(args), args.port)


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return port
