"""What an agent speaks, where nothing but its log records tells. Whatever else it declares counts for more."""

LOG_LIBRARIES = frozenset(
    "winston pino bunyan log4js roarr consola tslog python-logging structlog loguru ecs gelf serilog logstash log4j logrus zap slog tracing journald"
    " google-cloud".split()
)
"""Words for an agent's `convention`: the library that its log records show."""


def spoken(known: str, told: str) -> str:
    """The convention of an agent that is known to speak one, or "", after a declaration told another. "" told: its log records
    are not the most of what it publishes."""
    weak = not told or told in LOG_LIBRARIES
    return known if weak and known and known not in LOG_LIBRARIES else told
