"""A conversation as arrows in the order of time: what was sent, and what came back."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from models.domain.flow_queries import TalkLine
from models.domain.quantity import format_time
from models.domain.records import Outcome
from widgets.common.numbers import duration_text
from widgets.common.plain import visible
from widgets.common.words import outcome_word
from widgets.records.agent_names import AgentNames

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class Arrow(NamedTuple):
    """`reply`: it goes back. `pair`: place of the other arrow of this interaction; -1: it has none."""

    time_us: int
    sender: int
    receiver: int
    reply: bool
    line: TalkLine
    pair: int = -1

    @property
    def bad(self) -> bool:
        """Did it fail, as far as this arrow shows?"""
        return self.line.outcome is not Outcome.OK and (self.reply or self.line.reply_us is None)

    @property
    def text(self) -> str:
        """What stands on it."""
        if not self.reply:
            kind = visible(self.line.kind) or translate("Sequence", "message")
            return f"{kind} · {outcome_word(self.line.outcome)}" if self.bad else kind
        told = translate("Sequence", "{outcome} after {time}").replace("{outcome}", outcome_word(self.line.outcome))
        return told.replace("{time}", duration_text(self.line.reply_us))


def arrows_of(lines: Sequence[TalkLine]) -> list[Arrow]:
    """In order of time. A reply stands where it came by how long it took, whatever the clock of who sent it says."""
    arrows = []
    for line in lines:
        arrows.append(Arrow(line.time_us, line.sender, line.receiver, False, line))
        if line.reply_us is not None:
            arrows.append(Arrow(line.time_us + line.reply_us, line.receiver, line.sender, True, line))
    arrows.sort(key=lambda one: (one.time_us, one.line.key, one.reply))
    begun = {one.line.key: place for place, one in enumerate(arrows) if not one.reply}
    for place, one in enumerate(arrows):
        if one.reply:
            arrows[place] = one._replace(pair=begun[one.line.key])
            arrows[begun[one.line.key]] = arrows[begun[one.line.key]]._replace(pair=place)
    return arrows


def lanes_of(arrows: Sequence[Arrow], first: Sequence[int]) -> list[int]:
    """Whose life lines there are: of `first` those that take part, then everybody else as they come."""
    taking_part = dict.fromkeys(end for one in arrows for end in (one.sender, one.receiver))
    return [one for one in first if one in taking_part] + [one for one in taking_part if one not in set(first)]


def arrow_text(arrow: Arrow, names: AgentNames) -> str:
    """One line of text."""
    ends = f"{_name(names, arrow.sender)} → {_name(names, arrow.receiver)}"
    told = f"{format_time(arrow.time_us, digits=3)}  {ends}  {arrow.text}"
    return f"{told}  [{visible(arrow.line.id)}]" if arrow.line.id else told


def conversation_text(arrows: Sequence[Arrow], names: AgentNames) -> str:
    """All of them, a line each."""
    return "\n".join(arrow_text(one, names) for one in arrows)


def _name(names: AgentNames, agent: int) -> str:
    return names.name(agent) or translate("Sequence", "nobody knows")
