"""The frame of the command line: every command by name, with its one-line help.

A command is a module with `add_arguments(parser)` and `run(args) -> int`. Such a module imports what it works with inside
`run`, so that asking for help, or for another command, costs nothing.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NamedTuple, NoReturn, Protocol

from app.cli import (
    agent,
    backup,
    broker,
    example,
    export,
    files,
    import_traffic,
    incident,
    info,
    logs,
    look_at,
    record,
    reread,
    restore,
    rules,
    seal,
    simulate,
    task,
    verify,
    why,
    window_arguments,
)
from app.version import VERSION


class CommandModule(Protocol):
    """What a module of a command offers."""

    def add_arguments(self, parser: argparse.ArgumentParser, /) -> None: ...

    def run(self, args: argparse.Namespace, /) -> int: ...


class Command(NamedTuple):
    """One line of the table."""

    help: str
    module: CommandModule


COMMANDS: dict[str, Command] = {
    "record": Command("record a broker without a window", record),
    "broker": Command("run a broker on this computer and print its address", broker),
    "agent": Command("publish this computer's resources and log files", agent),
    "simulate": Command("publish what a fleet of agents would, at a chosen rate", simulate),
    "import": Command("take in recorded traffic", import_traffic),
    "export": Command("write history as CSV or JSON lines", export),
    "info": Command("what is stored, in figures", info),
    "verify": Command("check every stored file", verify),
    "backup": Command("write a consistent copy, even while recording", backup),
    "restore": Command("bring a backup back", restore),
    "rules": Command("list, check or apply mapping rules", rules),
    "reread": Command("derive history again from the stored messages", reread),
    "why": Command("tell what made an agent or a series", why),
    "logs": Command("search log records", logs),
    "incident": Command("put a stretch of time into one file for somebody else", incident),
    "task": Command("give tasks to agents, and see what came of them", task),
    "example": Command("print the file that makes a Python or Node program an agent", example),
}
HIDDEN: dict[str, CommandModule] = {
    "write-files": files,
    "look-at": look_at,
    "seal-segment": seal,
    "reread-segments": reread.RereadSegments,
}
"""What we start ourselves; nobody else needs to know."""
WINDOW_COMMANDS = {
    "demo": "the window with a simulated fleet, on a workspace and broker of its own",
    "shot": "paint one screen of a workspace into a PNG file",
}
EXAMPLES = """\
examples:
  murmurscope                                             open the window
  murmurscope demo                                        look around with a simulated fleet
  murmurscope record --broker mqtts://me@broker.example   record without a window; the password from
                                                          --password-file or MURMURSCOPE_PASSWORD
  murmurscope export samples --from 2h -o samples.csv     write the last two hours out
  murmurscope import fleet.jsonl                          look at traffic that mosquitto_sub recorded
  murmurscope record --help                               more about one command

exit codes: 0 ok, 1 failed, 2 usage, 3 missing system package, 4 cannot connect, 5 refused by the broker,
            6 workspace busy, newer or read-only, 130 interrupted
"""


def module_of(command: str) -> CommandModule:
    """Module of a command of the terminal."""
    return HIDDEN[command] if command in HIDDEN else COMMANDS[command].module


def shows_a_window(args: argparse.Namespace) -> bool:
    """Is this for the window process?"""
    return args.command is None or args.command in WINDOW_COMMANDS


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """`args.command` (None: the window) and `args.workspace` (None: the default place), and what the command added.

    Ends the process with code 2 and a sentence for what cannot be understood, 0 after `--help` and `--version`.
    """
    return build_parser().parse_args(argv)


def build_parser() -> argparse.ArgumentParser:
    """The parser with every command."""
    parser = _Parser(
        prog="murmurscope",
        description="Shows and records a fleet of software agents that meet on an MQTT broker.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"murmurscope {VERSION}")
    _add_workspace(parser, None)
    parser.add_argument("--new-window", action="store_true", help=argparse.SUPPRESS)  # what "New window" starts
    parser.add_argument("--record-here", action="store_true", help=argparse.SUPPRESS)  # of a copied workspace, as asked
    parser.add_argument("--connect", action="store_true", help=argparse.SUPPRESS)  # what the demo's window starts
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands (none: the window)")
    for name, text in WINDOW_COMMANDS.items():
        window_arguments.ADD[name](_command_parser(commands, name, text))
    for name, command in COMMANDS.items():
        command.module.add_arguments(_command_parser(commands, name, command.help))
    for name, module in HIDDEN.items():
        hidden = commands.add_parser(name, allow_abbrev=False)
        _add_workspace(hidden, argparse.SUPPRESS)
        module.add_arguments(hidden)
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message}\nTry: {self.prog} --help", file=sys.stderr)
        self.exit(2)


def _command_parser(
    commands: "argparse._SubParsersAction[_Parser]", name: str, text: str
) -> argparse.ArgumentParser:  # fmt: skip
    parser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    _add_workspace(parser, argparse.SUPPRESS)
    return parser


def _add_workspace(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--workspace", metavar="DIR", default=default, help="folder of the recordings (default: in your data folder)"
    )
