"""Which topics hold something that the store keeps for the next start: bounded, as anybody may publish a declaration."""

from models.domain.crowd import MOST_REMEMBERED, MOST_REMEMBERED_BYTES, Crowd


class Remembering:
    """Sizes of what is kept, by topic. One thread."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._sizes: dict[int, int] = {}
        self._bytes = 0

    def takes(self, topic: int, size: int) -> bool:
        """Shall the last message of this topic be kept, so many bytes? Empty ones forget it. False: there is no room, and what
        was known of the topic is to be forgotten, as it is true no longer."""
        known = self._sizes.get(topic)
        total = self._bytes - (known or 0) + size
        if size and (total > MOST_REMEMBERED_BYTES or (known is None and len(self._sizes) >= MOST_REMEMBERED)):
            self._crowd.remembered += 1
            self._bytes -= self._sizes.pop(topic, 0)
            return False
        self._bytes = total
        if size:
            self._sizes[topic] = size
        else:
            self._sizes.pop(topic, None)
        return True
