"""Whose home-made topics are, before any message of them is read: by our prefix, by what was told, by their levels."""

from models.domain.messages import RawMessage
from mqtt.reading.generic_reading import GenericPlan
from mqtt.reading.generic_topics import Place, announces, is_numbered, place, place_below
from mqtt.reading.home_made_talk import HomeMadeTalk
from mqtt.reading.lodgings import LEAF_MARKS, may_tell_of_lodging, places_below, tells_of_lodging
from mqtt.reading.other_topics import NobodyPlan
from mqtt.reading.plan import Plan, Sink
from mqtt.reading.presence_told import DECLARED


class GenericRecogniser:
    """Takes every topic; the last one asked. `prefix`: below it, the next level is the agent."""

    uses_declarations = True
    marks = LEAF_MARKS

    def __init__(self, prefix: list[str], talk: HomeMadeTalk) -> None:
        self._prefix, self._talk = prefix, talk

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan:
        depth, declared = len(self._prefix), sink.declarations.has
        if levels[:depth] == self._prefix and len(levels) > depth and levels[depth]:
            name, below = levels[depth], levels[depth + 1 :]
            if len(below) > 1 and announces(name) and not sink.names.known_agent(name):
                places = place(levels[depth:], False, declared), place(levels[depth:], True, declared)
                agent = places[0].agent
                if not is_numbered(agent) and not declared(agent):
                    return NobodyPlan(topic)
                return GenericPlan(topic, message.topic, levels, places, sink, self._talk)
            places = (
                Place(name, place_below(below, bare=False), True, True),
                Place(name, place_below(below, bare=True), True, True),
            )
        elif (home := sink.declarations.home_of(levels)) is not None:
            below, name = levels[home[0] :], home[1]
            places = (
                Place(name, place_below(below, bare=False), True),
                Place(name, place_below(below, bare=True), True),
            )
        else:
            places = place(levels, False, declared), place(levels, True, declared)
            lodging = sink.declarations.lodging_of(levels)
            if lodging is not None and not any(map(declared, levels[lodging[0] :])):
                places = places_below(lodging[1], levels[lodging[0] :], places)
        return GenericPlan(topic, message.topic, levels, places, sink, self._talk)

    def declares(self, levels: list[str]) -> bool:
        if levels[: len(self._prefix)] == self._prefix or levels[0][:1] == "$" or not may_tell_of_lodging(levels):
            return False
        # where nothing but being there is told and the place is sure, the plan says for certain whose home it is
        return levels[-1].casefold() not in DECLARED or not place(levels, False, _nobody).sure

    def declare(self, message: RawMessage, levels: list[str], sink: Sink) -> None:
        if sink.declarations.is_lodging(levels[:-1]) or not tells_of_lodging(message, levels):
            return
        found = place(levels, False, sink.declarations.has)
        if not found.path and levels[-2] == found.agent.rpartition("/")[2]:
            sink.declarations.lodge(levels[:-1], found.agent)


def _nobody(_: str) -> bool:
    return False
