"""What it means when connections end in the same way again and again. Pure."""

from enum import Enum, auto

from mqtt.link import LinkEnd

HOLDS_US = 10_000_000
"""A connection that is up this long was a success; before that it counts as a failed attempt."""
_RESUMED_CUTS, _FORGOTTEN_CUTS, _MALFORMED = 3, 4, 3
_FORGOTTEN_LIFE_US = 120_000_000


class Pattern(Enum):
    """Why trying again soon would only repeat it."""

    TAKEN_OVER = auto()
    MALFORMED = auto()


class Recurrence:
    """Looks at the ends of connections in a row; any other end between them begins the count anew.

    Two clients with one client id cut each other off. MQTT 3.1.1 has no word for it, and Mosquitto 2.0 does not say it in 5
    either. Where the other keeps its session, ours is there each time and cut soon each time. Where it keeps none, the
    broker has forgotten ours each time, although it was there to be asked at once: a broker that restarts refuses some
    attempts between. As it may be another cause after all, whoever asks tries again some day.

    A packet that is no MQTT ends the connection before it is acknowledged, so a resumed session begins with it again.
    """

    def __init__(self) -> None:
        self._resumed = self._forgotten = self._malformed = 0

    def reset(self) -> None:
        """Somebody did something about it."""
        self._resumed = self._forgotten = self._malformed = 0

    def see(self, end: LinkEnd, *, forgotten: bool) -> Pattern | None:
        """`forgotten`: the broker had lost the session that we left there."""
        up_us = end.up_us or 0
        cut = end.hung_up
        self._resumed = self._resumed + 1 if cut and end.session_present and up_us < HOLDS_US else 0
        self._forgotten = self._forgotten + 1 if cut and forgotten and up_us < _FORGOTTEN_LIFE_US else 0
        self._malformed = self._malformed + 1 if end.malformed and end.session_present else 0
        if self._resumed >= _RESUMED_CUTS or self._forgotten >= _FORGOTTEN_CUTS:
            return Pattern.TAKEN_OVER
        return Pattern.MALFORMED if self._malformed >= _MALFORMED else None
