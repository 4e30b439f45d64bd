"""`task`: give tasks to agents, and see what came of them."""

import argparse
import sys
from typing import TYPE_CHECKING, TypeVar

from app.cli.workspace_argument import workspace_of
from models.domain.problems import ExitCode, trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.control_client import ControlClient
    from models.domain.tasks.orders import TaskOrder
    from models.domain.tasks.work import Step, Work
    from models.storage.workspace import Workspace

EPILOG = """\
examples:
  murmurscope task submit summarise --input '{"url": "https://example.org"}' --wait
  murmurscope task submit crawl --to crawler-7 --deadline 10m --attempts 3
  murmurscope task submit vote --capability judge --each --gather majority
  murmurscope task list --state failed
  murmurscope task show ID                                with its history
  murmurscope task answer ID '"yes"'                      what its agent asked for

A task goes to the agent that is named, or to the least loaded of those that say they are capable of it. The recorder gives and
follows tasks: it has to run. States are submitted, working, input-required, auth-required, completed, failed, canceled,
rejected and unknown.
"""
_T = TypeVar("_T")
_POLL_S = 0.2
_RECENT = 100
_STATES = (
    "submitted", "working", "input-required", "auth-required", "completed", "failed", "canceled", "rejected", "unknown"
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `task`."""
    parser.epilog = EPILOG
    doing = parser.add_subparsers(dest="do", metavar="WHAT", required=True)
    submit = doing.add_parser("submit", help="give a task", allow_abbrev=False)
    submit.add_argument("type", metavar="TYPE", help="what is to be done, as agents name it")
    submit.add_argument("--input", metavar="JSON", default="null", help="what its agent gets; - reads it from stdin")
    submit.add_argument(
        "--to", metavar="AGENT", nargs="+", default=[], help="one of these agents (--each: all of them)"
    )
    submit.add_argument(
        "--capability", metavar="C", default="", help="agents that say they are capable of C (default: of TYPE)"
    )
    submit.add_argument("--each", action="store_true", help="to every such agent, as a task each")
    submit.add_argument(
        "--gather",
        choices=("all", "first", "majority", "merged"),
        default="all",
        help="what comes of the results of --each",
    )
    submit.add_argument("--deadline", metavar="T", help="it fails if it has not ended by then: 10m from now, or a time")
    submit.add_argument("--attempts", metavar="N", type=int, default=1, help="how often it is tried at most")
    submit.add_argument(
        "--backoff", metavar="S", type=float, default=1.0, help="wait before it is tried again, doubled each time"
    )
    submit.add_argument(
        "--idempotent", action="store_true", help="it may be sent again where nobody knows whether it was sent"
    )
    submit.add_argument("--parent", metavar="ID", default="", help="the task that it is part of")
    submit.add_argument(
        "--id", metavar="ID", default="", help="given twice with the same id it is one task (default: a new one)"
    )
    submit.add_argument("--wait", action="store_true", help="until it ends; exit code 0 if it completed")
    listed = doing.add_parser("list", help="tasks that were given, newest first", allow_abbrev=False)
    listed.add_argument("--state", choices=_STATES, action="append", default=[], help="only those; may be repeated")
    listed.add_argument("--limit", metavar="N", type=int, default=100, help="at most so many (default: 100)")
    for name, text in (("show", "one task with its history"), ("cancel", "ask its agent to stop; a second time ends it"), ("retry", "try one that ended badly once more"), ("answer", "give its agent what it asks for")):  # fmt: skip
        one = doing.add_parser(name, help=text, allow_abbrev=False)
        one.add_argument("id", metavar="ID", help="of the task")
        if name == "answer":
            one.add_argument("input", metavar="JSON", help="the answer; - reads it from stdin")
    limit = doing.add_parser("limit", help="how many tasks an agent has from us at a time", allow_abbrev=False)
    limit.add_argument("agent", metavar="AGENT")
    limit.add_argument("most", metavar="N", type=int)
    command = doing.add_parser("command", help="tell an agent itself to do something", allow_abbrev=False)
    command.add_argument("agent", metavar="AGENT")
    command.add_argument(
        "command_name", metavar="COMMAND", help="ping, pause, resume, drain, restart or one of its own"
    )
    command.add_argument("--arguments", metavar="JSON", default="null")
    command.add_argument("--confirm", metavar="AGENT", default="", help="its name once more, for what is not harmless")
    command.add_argument("--wait", action="store_true", help="for what the agent answers; exit code 0 if it did it")
    for name in ("submit", "list", "show"):
        doing.choices[name].add_argument("--json", action="store_true", help="as JSON, an object a line")
    for one in doing.choices.values():
        one.add_argument("--workspace", metavar="DIR", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Raises `EnvironmentProblem` "task.*", "recorder.*", "time.unreadable", "workspace.*", "store.*"."""
    workspace = workspace_of(args)
    match args.do:
        case "submit":
            return _submit(workspace, args)
        case "list":
            return _list(workspace, args)
        case "show":
            return _show(workspace, args)
        case "answer":
            text = _input(args.input)
            _ask(workspace, lambda client: client.answer_task(args.id, text))
        case "limit":
            _ask(workspace, lambda client: client.limit_agent(args.agent, args.most))
        case "command":
            return _command(workspace, args)
        case "cancel":
            _ask(workspace, lambda client: client.cancel_task(args.id))
        case _:
            _ask(workspace, lambda client: client.retry_task(args.id))
    return ExitCode.OK


def _ask(workspace: "Workspace", what: "Callable[[ControlClient], _T]") -> _T:
    from app.control_client import ControlClient

    with ControlClient(workspace) as client:
        client.hello("cli")
        return what(client)


def _submit(workspace: "Workspace", args: argparse.Namespace) -> int:
    order = _order(args)
    _ask(workspace, lambda client: client.submit_tasks([order]))
    if args.wait:
        work = _wait(workspace, order.id)
        print(_as_json(work) if args.json else work.result or "")
        if work.error or work.reason:
            print(f"murmurscope: {work.state.word}: {work.error or work.reason}", file=sys.stderr)
        return ExitCode.OK if work.state.word == "completed" else ExitCode.FAILED
    print(_as_json(_found(workspace, order.id)) if args.json else order.id)
    return ExitCode.OK


def _order(args: argparse.Namespace) -> "TaskOrder":
    from models.domain.clock import SystemClock
    from models.domain.tasks.orders import Fan, Gather, TaskOrder, new_task_id, refuse_nonsense

    now_us = SystemClock().wall_us()
    order = TaskOrder(
        args.id or new_task_id(), args.type, _input(args.input), tuple(args.to), args.capability,
        Fan.EACH if args.each else Fan.BEST, Gather(args.gather), _deadline(args.deadline, now_us), args.attempts,
        round(args.backoff * 1_000_000), args.idempotent, args.parent,
    )  # fmt: skip
    refuse_nonsense(order, now_us)
    return order


def _deadline(text: str | None, now_us: int) -> int:
    """A span counts from now on here, not back."""
    if not text:
        return 0
    from models.domain.time_range import parse_moment

    moment = parse_moment(text, now_us)
    return moment if "-" in text or ":" in text else now_us + (now_us - moment)


def _input(text: str) -> str:
    return sys.stdin.read() if text == "-" else text


def _command(workspace: "Workspace", args: argparse.Namespace) -> int:
    import time

    from models.domain.tasks.commands import VALID_S
    from models.storage.tasks.reading import TaskReading

    text = _input(args.arguments)
    id_ = _ask(workspace, lambda client: client.command_agent(args.agent, args.command_name, text, args.confirm))
    if not args.wait:
        print(id_)
        return ExitCode.OK
    end_s = time.monotonic() + VALID_S
    while time.monotonic() < end_s:
        with TaskReading(workspace) as reading:
            found = next((one for one in reading.commands(_RECENT, args.agent) if one.id == id_), None)
        if found is not None and found.answered_us:
            print(found.answer or found.state)
            return ExitCode.OK if found.state == "completed" else ExitCode.FAILED
        time.sleep(_POLL_S)
    print(f"murmurscope: {args.agent} gave no answer within {VALID_S} s", file=sys.stderr)
    return ExitCode.FAILED


def _wait(workspace: "Workspace", task: str) -> "Work":
    import time

    while True:
        work = _found(workspace, task)
        if work.ended_us:
            return work
        time.sleep(_POLL_S)


def _found(workspace: "Workspace", task: str) -> "Work":
    from models.storage.tasks.reading import TaskReading

    with TaskReading(workspace) as reading:
        work = reading.work(task)
    if work is None:
        raise trouble("task.unknown", task=task)
    return work


def _list(workspace: "Workspace", args: argparse.Namespace) -> int:
    from models.domain.records import TaskState
    from models.storage.tasks.reading import TaskReading

    states = tuple(one for one in TaskState if one.word in args.state)
    with TaskReading(workspace) as reading:
        for work in reading.newest(max(0, args.limit), states=states):
            print(_as_json(work) if args.json else _as_text(work))
    return ExitCode.OK


def _show(workspace: "Workspace", args: argparse.Namespace) -> int:
    from models.storage.tasks.reading import TaskReading

    with TaskReading(workspace) as reading:
        work = reading.work(args.id)
        if work is None:
            raise trouble("task.unknown", task=args.id)
        steps, parts = reading.steps(args.id), reading.parts(args.id)
    if args.json:
        print(_as_json(work, steps, parts))
        return ExitCode.OK
    print(_as_text(work))
    for name, value in (("input", work.order.input), ("result", work.result), ("error", work.error)):
        if value not in (None, "null"):
            print(f"  {name}: {_one_line(str(value))}")
    for step in steps:
        print(f"  {_step_text(step)}")
    for part in parts:
        print(f"  part {_as_text(part)}")
    return ExitCode.OK


def _as_text(work: "Work") -> str:
    from models.domain.timestamps import utc_text

    told = (utc_text(work.created_us), work.order.id, work.state.word, work.order.type, work.agent or "-", work.reason)
    return _one_line(" ".join(filter(None, told)))


def _step_text(step: "Step") -> str:
    from models.domain.timestamps import utc_text

    told = (utc_text(step.time_us), step.state.word, step.agent, step.reason, f"attempt {step.attempt}", step.text)
    return _one_line(" ".join(filter(None, told)))


def _as_json(work: "Work", steps: "list[Step] | None" = None, parts: "list[Work] | None" = None) -> str:
    import json

    from models.domain.tasks.telling import told_of, told_of_step

    told = told_of(work)
    if steps is not None:
        told["history"] = [told_of_step(one) for one in steps]
        told["parts"] = [one.order.id for one in parts or ()]
    return json.dumps(told, ensure_ascii=False)


def _one_line(text: str) -> str:
    """What a terminal would take for a command is written out."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
