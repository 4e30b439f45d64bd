"""Why something is there, of a workspace: asked by the command line and by the window. Any thread; waits for the disk."""

from app.rules_file import RulesFile
from app.settings import SettingsFile
from models.domain.clock import Clock
from models.domain.connection import Connection
from models.domain.messages import RawMessage
from models.domain.origins import AgentWhy, MessageWhy
from models.domain.rules import Rules
from models.storage.history.why import agent_origin, declared_messages
from models.storage.workspace import Workspace
from mqtt.reading.explaining import message_why, series_sources

MOST_DECLARED = 500
"""Messages that others cannot be read without, the newest."""


def why_agent(workspace: Workspace, agent: str, rules: Rules, clock: Clock) -> AgentWhy:
    """How an agent is, and where its series come from. Raises `EnvironmentProblem` agent.unknown, "settings.unreadable",
    "workspace.*"."""
    found = agent_origin(workspace, agent)
    sources = series_sources(found.agent, found.newest, found.declared, rules, prefix_of(workspace), clock)
    return AgentWhy(found, sources, rules)


def why_message(workspace: Workspace, message: RawMessage, rules: Rules, clock: Clock) -> MessageWhy:
    """What a message is read as. Raises as `why_agent`."""
    return message_why(message, declared_messages(workspace, MOST_DECLARED), rules, prefix_of(workspace), clock)


def rules_in_file(workspace: Workspace) -> Rules:
    """Those that make sense. Raises `EnvironmentProblem` "settings.unreadable"."""
    return RulesFile(workspace.rules).load().rules


def prefix_of(workspace: Workspace) -> str:
    """Where our own contract's topics begin. Raises `EnvironmentProblem` "settings.unreadable"."""
    return (SettingsFile(workspace.settings).load().connection or Connection()).prefix
