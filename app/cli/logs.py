"""`logs`: the log records that a query finds, the same rows as on the screen of logs."""

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.cli.workspace_argument import workspace_of
from models.domain.problems import EnvironmentProblem, ExitCode

if TYPE_CHECKING:
    from models.domain.queries import LogLine, LogRequest
    from models.storage.history.reader import HistoryReader

EPILOG = """\
examples:
  murmurscope logs 'level:error agent:planner-* "timed out" NOT retry latency>200 after:10m'
  murmurscope logs 'level>=warn OR http.status:(502 503)' --from 2h --json | head
  murmurscope logs ''                                     all of them

A word or a "text in quotes" is looked for in text, logger and error, in any case. A field is level, agent, logger, text,
error, stack, or an attribute by its path; `*` in its value is any text, alone: it is there. Numbers compare with > >= < <=,
levels too. Conditions side by side must all hold; OR, NOT (or - before) and brackets do what they say; after: and before:
take a time. Put -- before a query that begins with a minus. The newest record comes first.
"""
_PAGE = 1_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `logs`."""
    parser.epilog = EPILOG
    parser.add_argument("query", metavar="QUERY", help="what to look for; '' for everything")
    parser.add_argument("--from", dest="since", metavar="T", help="only what arrived at T or later")
    parser.add_argument("--to", dest="until", metavar="T", help="only what arrived before T")
    parser.add_argument("--json", action="store_true", help="an object a line, with the keys of `export logs`")


def run(args: argparse.Namespace) -> int:
    """Raises `EnvironmentProblem` "query.*", "time.unreadable", "workspace.*", "store.*"."""
    from models.domain.clock import SystemClock
    from models.domain.log_json import log_json
    from models.domain.queries import LogRequest
    from models.domain.search.parsing import parse
    from models.domain.time_range import parse_moment
    from models.storage.history.reader import HistoryReader

    now_us = SystemClock().wall_us()
    try:
        query = parse(args.query, now_us)
    except EnvironmentProblem as error:
        _point_at(args.query, error)
        raise
    since_us, until_us = (parse_moment(text, now_us) if text else 0 for text in (args.since, args.until))
    reader = HistoryReader(workspace_of(args))
    names = _Names(reader)
    for line in _rows(reader, LogRequest(query=query, since_us=since_us, until_us=until_us, limit=_PAGE)):
        agent = names.of(line.agent)
        print(log_json(line, agent, None) if args.json else _as_text(line, agent))
    sys.stdout.flush()
    return ExitCode.OK


def _rows(reader: "HistoryReader", request: "LogRequest") -> "Iterator[LogLine]":
    from dataclasses import replace

    from models.domain.queries import CancelToken, LogResult

    while True:
        (page,) = reader.answer(request, CancelToken())
        assert isinstance(page, LogResult)
        yield from page.rows
        if page.reach.searched is None:
            return
        request = replace(request, before=page.reach.searched)


class _Names:
    """Ids of agents, asked for again when somebody new logs."""

    def __init__(self, reader: "HistoryReader") -> None:
        self._reader = reader
        self._known: dict[int, str] = {0: ""}

    def of(self, agent: int) -> str:
        if agent not in self._known:
            from models.domain.queries import CancelToken, NamesRequest, NamesResult

            (found,) = self._reader.answer(NamesRequest(), CancelToken())
            assert isinstance(found, NamesResult)
            self._known = {0: "", **dict(zip(found.agent, found.id, strict=True))}
        return self._known.get(agent, "")


def _as_text(line: "LogLine", agent: str) -> str:
    """On one line, but for the stack."""
    from models.domain.timestamps import utc_text

    told = (utc_text(line.time_us), f"{line.level.name.lower():5}", agent or "-", line.logger, line.text)
    error = f" · {line.error}" if line.error else ""
    attributes = f" {line.attributes}" if line.attributes else ""
    stack = "".join(f"\n    {_one_line(one.expandtabs(4))}" for one in line.stack.splitlines())
    return _one_line(" ".join(filter(None, told)) + error + attributes) + stack


def _one_line(text: str) -> str:
    """What a terminal would take for a command is written out."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _point_at(query: str, error: EnvironmentProblem) -> None:
    begin, end = int(error.problem.params["begin"]), int(error.problem.params["end"])
    if "\n" not in query and len(query) < 200:
        print(f"  {query}\n  {' ' * begin}{'^' * max(1, end - begin)}", file=sys.stderr)
