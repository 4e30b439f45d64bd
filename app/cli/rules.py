"""`rules`: list, check or apply the mapping rules of a workspace."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.workspace_argument import workspace_of
from models.domain.problems import EnvironmentProblem, ExitCode, trouble

if TYPE_CHECKING:
    from models.domain.rules import Rules
    from models.storage.workspace import Workspace

_EPILOG = """\
A file of rules, as rules.toml in the workspace:

  [[rule]]                              # this number is …
  topic = "plant/{agent}/out"           # + and # as in MQTT; levels in braces get a name
  means = "number"                      # number, agent, log, status or ignore
  path = "values.temp"                  # where it stands; without: the payload itself
  metric = "temperature"                # a text, "{a level}" or "$.a.place"; so are agent, level and logger
  unit = "°C"                           # that of the payload; scale = 0.1 multiplies before
  kind = "gauge"                        # or counter; time = "sent" names the place of its own time

  [[rule]]                              # this agent is …
  topic = "gateway/+/up"
  means = "agent"
  agent = "$.device.id"

  [[rule]]                              # whether it is there, in words of its own
  topic = "beat/{agent}"
  means = "status"
  online = "going, green"

  [[rule]]                              # this is a log
  topic = "app/{agent}/out"
  means = "log"
  path = "text"
  level = "$.severity"

  [[rule]]                              # stored, and nothing made of it
  topic = "noise/#"
  means = "ignore"

  [same]                                # the same agent under another name
  "plug-2" = "kitchen-plug"

Of rules that say the same of one place the first holds; so does the first that names an agent; `ignore` silences all.
What no rule names is read as without rules, but for topics of a log or of a bare status word. What announces itself by a
convention (Home Assistant, Sparkplug, …) keeps the agents that this names: call them by [same]. Rules are for what comes from
now on; `reread` reads history again with them.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `rules`."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "what", choices=("list", "check", "apply"), help="the rules in force; what makes no sense of FILE; take FILE"
    )
    parser.add_argument("file", metavar="FILE", type=Path, nargs="?", help="of rules, as below")
    parser.add_argument(
        "--json", action="store_true", help="list, or what makes sense and what does not, as one JSON object"
    )


def run(args: argparse.Namespace) -> int:
    """Raises `EnvironmentProblem` "settings.unreadable", "rules.bad", "file.*", "workspace.*"."""
    if args.what != "list" and args.file is None:
        raise trouble("option.unusable", option=args.what, value="", detail="it needs a FILE")
    if args.what == "check":
        return _check(args.file, as_json=args.json)
    workspace = workspace_of(args)
    if args.what == "apply":
        return _apply(workspace, args.file)
    return _list(workspace, as_json=args.json)


def rules_said(workspace: "Workspace") -> "Rules":
    """The rules of a workspace; what makes no sense is told on stderr. Raises "settings.unreadable"."""
    from app.rules_file import RulesFile

    rules, problems = RulesFile(workspace.rules).load()
    for one in problems:
        print(f"murmurscope: {one.sentence()}", file=sys.stderr)
    return rules


def _check(file: Path, *, as_json: bool) -> int:
    from app.rules_file import RulesFile

    _must_be_there(file)
    rules, problems = RulesFile(file).load()
    if as_json:
        told = [{"where": one.params["where"], "detail": one.params["detail"]} for one in problems]
        print(json.dumps({**_as_json(rules), "problems": told}, ensure_ascii=False))
    else:
        for one in problems:
            print(f"murmurscope: {one.sentence()}", file=sys.stderr)
    if problems:
        return problems[0].kind.exit_code
    if as_json:
        return ExitCode.OK
    print(f"{len(rules.rules)} rules and {len(rules.same)} names make sense")
    return ExitCode.OK


def _apply(workspace: "Workspace", file: Path) -> int:
    from app.control_client import ControlClient
    from app.rules_file import RulesFile
    from models.storage.access import refuse_untouched

    _must_be_there(file)
    refuse_untouched(workspace)
    rules = RulesFile(workspace.rules).apply(file).rules
    print(f"{len(rules.rules)} rules and {len(rules.same)} names are in force")
    client = ControlClient(workspace)
    try:
        client.wake()
    except EnvironmentProblem as error:
        if not error.problem.code.startswith("recorder."):
            raise  # else none runs: the next one begins with them
    finally:
        client.close()
    return ExitCode.OK


def _list(workspace: "Workspace", *, as_json: bool) -> int:
    rules = rules_said(workspace)
    if as_json:
        print(json.dumps(_as_json(rules), ensure_ascii=False))
        return ExitCode.OK
    for number, one in enumerate(rules.rules, 1):
        print(f"{number}. {one.as_line()}")
    for name, agent in rules.same.items():
        print(f"{name} is {agent}")
    if not rules.rules and not rules.same:
        print("There are no rules; `murmurscope rules --help` shows what they look like.")
    return ExitCode.OK


def _as_json(rules: "Rules") -> dict[str, object]:
    return {"rules": [one.said() for one in rules.rules], "same": dict(rules.same)}


def _must_be_there(file: Path) -> None:
    if not file.is_file():
        raise trouble("file.unusable", path=str(file), detail="there is no such file")
