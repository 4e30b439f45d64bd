"""Arguments of the commands that the window process carries out. Nothing of the window is imported here."""

import argparse

DEMO_EPILOG = """\
A broker of its own and a simulated fleet, plainly labelled, in a workspace of its own that keeps little history. Every four
minutes one agent slows down, fails and dies; others take its tasks over, and it returns. Ends with the window.
"""


def add_demo_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `demo`."""
    parser.epilog = DEMO_EPILOG
    parser.add_argument("--agents", metavar="N", type=_agents, default=40, help="how many agents (default %(default)s)")
    parser.add_argument(
        "--rate",
        metavar="MSG/S",
        type=_over_zero,
        default=60.0,
        help="messages a second, all agents together (default %(default)g)",
    )
    parser.add_argument("--speed", type=_over_zero, default=1.0, help=argparse.SUPPRESS)  # of the story


def add_shot_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `shot`."""
    parser.epilog = "example:\n  murmurscope shot fleet --theme dark --size 1600x1000 -o fleet.png"
    parser.add_argument("screen", metavar="SCREEN", help="fleet, agent, explore, logs, messages, …")
    parser.add_argument("--agent", metavar="A", help="the agent that is shown")
    parser.add_argument(
        "--from", dest="since", metavar="T", help="start of the time range: ISO 8601, or 15m, 2h, 7d ago"
    )
    parser.add_argument("--to", dest="until", metavar="T", help="its end (default: now)")
    parser.add_argument("--theme", choices=("light", "dark"), help="colours (default: as the desktop)")
    parser.add_argument("--size", metavar="WxH", default="1600x1000", help="size of the window (default %(default)s)")
    parser.add_argument("--scale", metavar="S", type=float, default=1.0, help="pixels per unit (default %(default)s)")
    parser.add_argument("--lang", choices=("en", "pl"), help="language (default: as the desktop)")
    parser.add_argument("-o", dest="output", metavar="FILE", required=True, help="PNG file to write")
    parser.add_argument(
        "--no-frame",
        action="store_true",
        help="the screen alone below its title and time, without the rest of the window",
    )
    parser.add_argument("--then", metavar="S", action="append", default=[], help=argparse.SUPPRESS)  # of `incident`


def _agents(text: str) -> int:
    number = int(text)
    if not 4 <= number <= 10_000:
        raise argparse.ArgumentTypeError("between 4 and 10000 agents")
    return number


def _over_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("a number over 0")
    return number


ADD = {"demo": add_demo_arguments, "shot": add_shot_arguments}
"""Which function adds the arguments of which command."""
