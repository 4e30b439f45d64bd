"""How many agents, series and declarations a workspace takes, and who was refused beyond that. Messages are stored in any case."""

MOST_AGENTS = 100_000
MOST_SERIES = 1_000_000
MOST_SERIES_OF_AGENT = 2_000
LONGEST_AGENT = 256
"""Characters of an agent's name."""
MOST_REMEMBERED, MOST_REMEMBERED_BYTES = 100_000, 64 * 1024 * 1024
"""Messages that are kept because later ones cannot be read without them, one a topic; and their payloads together."""


class Crowd:
    """How often an agent, a series or a declaration was refused since the program started. Written by the thread that reads, read by any."""

    def __init__(self) -> None:
        self.agents = 0
        self.series = 0
        self.series_of_agent = 0
        self.remembered = 0
        self.largest_agent = ""
        """The last one that had more series than an agent may have."""

    @property
    def refused(self) -> int:
        return self.agents + self.series + self.series_of_agent
