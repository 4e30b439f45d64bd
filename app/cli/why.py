"""`why`: which convention or rule made an agent or a series, and of which topics."""

import argparse
import json
from typing import TYPE_CHECKING

from app.cli.workspace_argument import workspace_of
from models.domain.problems import ExitCode, trouble

if TYPE_CHECKING:
    from models.storage.history.why import AgentOrigin

_SOURCES = {
    "generic": "home-made payloads, read by their shape",
    "rule": "a rule of yours (murmurscope rules list)",
    "murmurscope": "our own contract",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `why`."""
    parser.epilog = (
        "Tells how an agent is and why, which convention or rule read each of its series, and the topics that were its own last."
        " Is it wrong? `murmurscope rules --help` shows how to say it better."
    )
    parser.add_argument("agent", metavar="AGENT", help="as exports name it")
    parser.add_argument("series", metavar="SERIES", nargs="?", help="only this metric")
    parser.add_argument("--json", action="store_true", help="as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Raises `EnvironmentProblem` agent.unknown, series.unknown, "workspace.*"."""
    from models.storage.history.why import agent_origin

    found = agent_origin(workspace_of(args), args.agent)
    if args.series is not None:
        chosen = [one for one in found.series if one.metric == args.series]
        if not chosen:
            raise trouble("series.unknown", agent=args.agent, series=args.series)
        found = found._replace(series=chosen)
    if args.json:
        print(json.dumps(_as_json(found), ensure_ascii=False))
    else:
        _print(found)
    return ExitCode.OK


def _as_json(found: "AgentOrigin") -> dict[str, object]:
    return {
        "agent": found.agent, "name": found.own_name or None, "convention": found.convention or None,
        "presence": found.presence.name.lower(), "cause": found.cause or None, "since": _time(found.since_us),
        "series": [{**one._asdict(), "kind": one.kind.name.lower()} for one in found.series],
        "topics": [
            {"topic": one.topic.decode("utf-8", "replace"), "messages": one.messages, "last": _time(one.last_us)}
            for one in found.topics
        ],
    }  # fmt: skip


def _print(found: "AgentOrigin") -> None:
    name = f" ({found.own_name})" if found.own_name else ""
    print(f"{found.agent}{name}: {found.presence.name.lower()}", end="")
    print(f" because of {found.cause} since {_time(found.since_us)}" if found.cause else "")
    print(f"declared by: {found.convention or 'nobody; it was found in what was sent'}")
    print("series:" if found.series else "series: none")
    for one in found.series:
        labels = f" {one.labels}" if one.labels else ""
        print(
            f"  {one.metric}{labels} [{one.unit or 'no unit'}, {one.kind.name.lower()}] by {_SOURCES.get(one.source, one.source)}"
        )
    print("topics:" if found.topics else "topics: none")
    for topic in found.topics:
        print(f"  {topic.topic.decode('utf-8', 'replace')}: {topic.messages} messages, the last {_time(topic.last_us)}")


def _time(time_us: int) -> str | None:
    from models.domain.timestamps import utc_text

    return utc_text(time_us) if time_us else None
