"""The figures of a pair in words."""

from PySide6.QtCore import QCoreApplication

from widgets.common.numbers import count_text, duration_text, value_text
from widgets.flow.pairs import Pair

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def pair_text(pair: Pair) -> str:
    """A line each."""
    told = [f"{pair.sender_name} → {pair.receiver_name}"]
    often = translate("FlowGraph", "{n} interactions, {rate} a minute").replace("{n}", count_text(pair.interactions))
    told.append(often.replace("{rate}", value_text(pair.per_minute)))
    if pair.ratio is not None:
        failed = translate("FlowGraph", "failed {share} of {n}").replace("{share}", value_text(pair.ratio, "1"))
        told.append(failed.replace("{n}", count_text(pair.finished)))
    if pair.p95_us is not None:
        told.append(translate("FlowGraph", "95 % answered within {time}").replace("{time}", duration_text(pair.p95_us)))
    return "\n".join(told)
