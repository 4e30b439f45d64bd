"""Nodes of Sparkplug B: which one an agent or a topic belongs to. Pure."""

from typing import NamedTuple

CONVENTION = "sparkplug"
_ROOTS = (("spBv1.0",), ("spBv1", "0"))
"""The second is what a broker makes of the first that takes dots for slashes."""
_SAYS = {3: ("NBIRTH", "NDATA", "NDEATH", "NCMD"), 4: ("DBIRTH", "DDATA", "DDEATH", "DCMD")}


class SparkplugNode(NamedTuple):
    """A node is asked for itself and all its devices."""

    group: str
    name: str

    def __str__(self) -> str:
        return f"{self.group}/{self.name}"


def node_of_agent(id_: str, convention: str) -> SparkplugNode | None:
    """The node that an agent is, or is a device of; None: it is no Sparkplug."""
    levels = id_.split("/")
    if convention != CONVENTION or len(levels) not in (2, 3) or not all(levels):
        return None
    return SparkplugNode(levels[0], levels[1])


def node_of_topic(topic: bytes) -> SparkplugNode | None:
    """The node that speaks on a topic, itself or for a device."""
    try:
        levels = topic.decode().split("/")
    except UnicodeDecodeError:
        return None
    for root in _ROOTS:
        below = levels[len(root) :]
        if tuple(levels[: len(root)]) == root and len(below) in _SAYS and all(below):
            return SparkplugNode(below[0], below[2]) if below[1] in _SAYS[len(below)] else None
    return None
