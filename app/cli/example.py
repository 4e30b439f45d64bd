"""`example`: prints the file that agents copy."""

import argparse

EPILOG = """\
examples:
  murmurscope example python > agent.py     one file, needs only paho-mqtt (pip install paho-mqtt)
  murmurscope example node > agent.js       one file, needs mqtt and winston (npm install mqtt winston)
"""
_SECOND_HALF = "from mqtt.agent_work import Incoming, Task, Work, described, known\n"
_SEEN_BY_CHECKERS = "if TYPE_CHECKING:\n    from mqtt.agent import Agent\n\n"
_FUTURE = "from __future__ import annotations\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `example`."""
    parser.epilog = EPILOG
    parser.add_argument("language", choices=("python", "node"))


def run(args: argparse.Namespace) -> int:
    """Print the file."""
    from models.domain.resources import resource_path

    def text(*place: str) -> str:
        return resource_path(*place).read_text(encoding="utf-8")

    if args.language == "node":
        print(text("examples", "node", "agent.js"), end="")
    else:
        print(as_one_file(text("..", "mqtt", "agent.py"), text("..", "mqtt", "agent_work.py")), end="")
    return 0


def as_one_file(first: str, second: str) -> str:
    """The library's second half where the first takes it in."""
    body = second.partition(_FUTURE)[2].replace(_SEEN_BY_CHECKERS, "").replace("TYPE_CHECKING, ", "").strip()
    return first.replace(_SECOND_HALF, f"{body}\n")
