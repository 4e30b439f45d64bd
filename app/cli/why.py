"""`why`: which convention or rule made an agent or a series, and of which topics."""

import argparse
import json
from typing import TYPE_CHECKING

from app.cli.workspace_argument import workspace_of
from models.domain.conventions import LOG_LIBRARIES
from models.domain.problems import ExitCode

if TYPE_CHECKING:
    from models.domain.origins import AgentWhy

_SOURCES = {
    "generic": "home-made payloads, read by their shape",
    "rule": "a rule of yours (murmurscope rules list)",
    "murmurscope": "our own contract",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `why`."""
    parser.epilog = (
        "Tells how an agent is and why, which convention or rule read each of its series, of which topics (its newest"
        " 1000 messages are read again for that, as rules are now), and when it was heard first and last."
        " Is it wrong? `murmurscope rules --help` shows how to say it better."
    )
    parser.add_argument("agent", metavar="AGENT", help="as exports name it")
    parser.add_argument("series", metavar="SERIES", nargs="?", help="only this metric")
    parser.add_argument("--json", action="store_true", help="as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Raises `EnvironmentProblem` agent.unknown, series.unknown, "settings.unreadable", "workspace.*"."""
    from app.cli.rules import rules_said
    from app.why import why_agent
    from models.domain.clock import SystemClock

    workspace = workspace_of(args)
    why = why_agent(workspace, args.agent, rules_said(workspace), SystemClock())
    if args.series is not None:
        why = why.only(args.series)
    if args.json:
        print(json.dumps(_as_json(why), ensure_ascii=False))
    else:
        _print(why)
    return ExitCode.OK


def _as_json(why: "AgentWhy") -> dict[str, object]:
    found = why.origin
    return {
        "agent": found.agent, "name": found.own_name or None, "convention": found.convention or None,
        "presence": found.presence.name.lower(), "cause": found.cause or None, "since": _time(found.since_us),
        "first": _time(found.first_us), "last": _time(found.last_us),
        "series": [
            {
                **one._asdict(), "kind": one.kind.name.lower(), "topics": list(map(_text, why.source(one).topics)),
                "rules": why.source(one).rules,
            }
            for one in found.series
        ],
        "topics": [
            {"topic": _text(one.topic), "messages": one.messages, "last": _time(one.last_us)} for one in found.topics
        ],
    }  # fmt: skip


def _print(why: "AgentWhy") -> None:
    found = why.origin
    name = f" ({found.own_name})" if found.own_name else ""
    print(f"{found.agent}{name}: {found.presence.name.lower()}", end="")
    print(f" because of {found.cause} since {_time(found.since_us)}" if found.cause else "")
    print(f"heard: first {_time(found.first_us) or 'never'}, last {_time(found.last_us) or 'never'}")
    by = (
        f"nobody; its log records are those of {found.convention}"
        if found.convention in LOG_LIBRARIES
        else found.convention
    )
    print(f"declared by: {by or 'nobody; it was found in what was sent'}")
    print("series:" if found.series else "series: none")
    for one in found.series:
        labels = f" {one.labels}" if one.labels else ""
        source = why.source(one)
        by = _SOURCES.get(one.source, one.source)
        if one.source == "rule" and source.rules:
            by = f"your rule {' or '.join(map(str, source.rules))}"
        came = f", from {', '.join(map(_text, source.topics[:3]))}" if source.topics else ""
        more = f" and {len(source.topics) - 3} more" if len(source.topics) > 3 else ""
        print(f"  {one.metric}{labels} [{one.unit or 'no unit'}, {one.kind.name.lower()}] by {by}{came}{more}")
    print("topics:" if found.topics else "topics: none")
    for topic in found.topics:
        print(f"  {_text(topic.topic)}: {topic.messages} messages, the last {_time(topic.last_us)}")


def _text(topic: bytes) -> str:
    return topic.decode("utf-8", "replace")


def _time(time_us: int) -> str | None:
    from models.domain.timestamps import utc_text

    return utc_text(time_us) if time_us else None
