"""A story that a simulated fleet tells: one agent slows down, its errors rise, it dies, its tasks go to others, it returns.

Then it is another agent's turn. Only the ordinary topics of our contract are used. Knows no sockets and no clock.
"""

from app.simulation.fleet import SimulatedFleet
from app.simulation.story_script import BROKEN_S, DEATH_S, LOOP_S, SCRIPT, SLOW_S, Cast, Event

LEAST_AGENTS = 4
_PLANNER = 1
_SLOWEST, _STRAIN, _LONGEST_QUEUE, _FAILING = 14.0, 0.06, 46, 0.6
_USUAL_QUEUE, _USUAL_FAILING = 5, 0.01


class Story:
    """One thread."""

    def __init__(self, fleet: SimulatedFleet) -> None:
        """Raises `ValueError` for a fleet of fewer than four agents."""
        if len(fleet.ids) < LEAST_AGENTS:
            raise ValueError(f"a story needs {LEAST_AGENTS} agents")
        self._fleet = fleet
        self._told = 0  # beats so far, over all loops
        self.cast = self._choose(0)

    def advance(self, story_s: float, now_s: float) -> list[Event]:
        """What happens from the last call to `story_s` seconds after the beginning, in order; `now_s` is the time that it is
        told with. What the fleet says by itself meanwhile is changed with it."""
        loop, second = divmod(story_s, LOOP_S)
        due = int(loop) * len(SCRIPT) + sum(beat.second <= second for beat in SCRIPT)
        events: list[Event] = []
        while self._told < due:
            loops, place = divmod(self._told, len(SCRIPT))
            if place == 0:
                self.cast = self._choose(loops)
            events += SCRIPT[place].tell(self._fleet, self.cast, now_s)
            self._told += 1
        self._ail(second)
        return events

    def _choose(self, loop: int) -> Cast:
        """Crawlers take turns; where there is but one, it is always its turn."""
        ids = self._fleet.ids
        crawlers = [i for i, id_ in enumerate(ids) if id_.startswith("crawler-")]
        ill = crawlers[(loop + 1) % len(crawlers)]
        others = [i for i in crawlers if i != ill] or [i for i in range(len(ids)) if i not in (ill, _PLANNER)]
        helpers = tuple(others[(loop + n) % len(others)] for n in range(3))
        return Cast(ill, _PLANNER, helpers, tuple(f"fetch-{1_000 + 10 * loop + n}" for n in range(1, 6)))

    def _ail(self, second: float) -> None:
        """It comes on slowly, and is over with the agent's end."""
        ill, fleet = self.cast.ill, self._fleet
        grade = min(1.0, max(0.0, (second - SLOW_S) / (BROKEN_S - SLOW_S))) if second < DEATH_S else 0.0
        fleet.slowness[ill] = 1 + (_SLOWEST - 1) * grade
        fleet.strain[ill] = _STRAIN * grade
        fleet.queued[ill] = _USUAL_QUEUE + int((_LONGEST_QUEUE - _USUAL_QUEUE) * grade)
        fleet.failing[ill] = _FAILING if BROKEN_S <= second < DEATH_S else _USUAL_FAILING
