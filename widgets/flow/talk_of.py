"""Which interactions a choice among the nodes stands for."""

from collections.abc import Sequence

from models.domain.flow_queries import FlowResult, TalkRequest
from widgets.flow.pairs import Pair


def talk_of(
    result: FlowResult, pairs: Sequence[Pair], sender: int, receiver: int | None, span: tuple[int, int]
) -> TalkRequest:
    """What one asked of the other; without a receiver everything that it talks about with those that are shown beside it. A group
    stands for its members. `span`: from when and until when, 0: open end."""
    since_us, until_us = span
    senders = members(result, sender)
    if receiver is not None:
        receivers = members(result, receiver)
        agents = tuple(dict.fromkeys((*senders, *receivers)))
        return TalkRequest(agents, senders, receivers, since_us=since_us, until_us=until_us)
    beside = sorted(
        {end for one in pairs if sender in (one.sender, one.receiver) for end in (one.sender, one.receiver)}
    )
    agents = tuple(dict.fromkeys((*senders, *(agent for node in beside for agent in members(result, node)))))
    return TalkRequest(agents, ends=senders, since_us=since_us, until_us=until_us)


def members(result: FlowResult, node: int) -> tuple[int, ...]:
    """The agents that a node stands for."""
    return (node,) if node >= 0 else result.groups[-1 - node].members
