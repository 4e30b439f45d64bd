"""`simulate`: a fleet's traffic at a chosen rate, and an exact account of what was sent."""

import argparse
import dataclasses
import json
import sys

from app.cli.connection_arguments import add_connection_arguments, connection_from

EPILOG = """\
examples:
  murmurscope simulate --broker mqtt://localhost --agents 300 --rate 1000 --duration 60
  murmurscope simulate --broker mqtt://localhost --agents 40 --rate 60 --story

Nine of ten messages carry eight figures, the rest are logs, tasks and conversations; about one agent in a hundred is ill.
With --story all are well but one at a time: it slows down, fails, dies, its tasks go to others, and it returns, every four
minutes another one.
The last line is JSON: what was sent of each kind, what the broker acknowledged, and how far it fell behind the rate.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `simulate`."""
    parser.epilog = EPILOG
    add_connection_arguments(parser, required=True)
    parser.add_argument("--agents", type=_positive, default=100, metavar="N", help="agents (default: 100)")
    parser.add_argument("--rate", type=float, default=100.0, metavar="MSG/S", help="messages a second (default: 100)")
    parser.add_argument("--duration", type=float, default=0.0, metavar="S", help="seconds (default: until Ctrl+C)")
    parser.add_argument("--qos", type=int, choices=(0, 1), default=1, help="QoS of the messages (default: 1)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed says the same (default: 1)")
    parser.add_argument("--story", action="store_true", help="tell of an agent that falls ill, dies and returns")
    parser.add_argument("--speed", type=float, default=1.0, help=argparse.SUPPRESS)  # of the story


def run(args: argparse.Namespace) -> int:
    """Publish until the duration is over or Ctrl+C. Raises `EnvironmentProblem` "broker.*"."""
    from app.ending import Ending
    from app.simulation.load import Load, run_load
    from app.simulation.story import LEAST_AGENTS
    from models.domain.problems import trouble
    from mqtt.bulk_publisher import BulkPublisher

    given = connection_from(args)
    if given is None or given[0].websocket:
        raise trouble("broker.url", url=args.broker, detail="simulate speaks plain MQTT or TLS, not websockets")
    if args.story and args.agents < LEAST_AGENTS:
        detail = f"a story needs {LEAST_AGENTS} agents"
        raise trouble("option.unusable", option="--agents", value=str(args.agents), detail=detail)
    connection, secret = given
    ending = Ending()
    publisher = BulkPublisher(connection, secret, f"murmurscope-simulate-{args.seed}")
    print(f"publishing to {connection.url}", file=sys.stderr)
    load = Load(args.agents, args.rate, args.duration, args.qos, args.seed)
    connect = (lambda name, will: BulkPublisher(connection, secret, name, will=will)) if args.story else None
    try:
        report = run_load(publisher, load, ending.asked.is_set, connect, args.speed)
    except ConnectionError as error:
        raise trouble("broker.lost", host=connection.host, detail=str(error)) from error
    finally:
        publisher.close()
    print(json.dumps(dataclasses.asdict(report)))
    return ending.exit_code


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
