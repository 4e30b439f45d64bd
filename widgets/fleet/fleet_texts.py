"""Every text of the fleet screen that is made from figures: cells, tooltips, headings, the one sentence."""

import math

from PySide6.QtCore import QCoreApplication

from models.domain.presence_words import Cause, Condition, Presence
from models.domain.quantity import format_age, format_count, format_time, format_value
from models.domain.queries import FleetResult
from widgets.common.plain import visible
from widgets.common.words import cause_word, condition_word, convention_word, presence_word
from widgets.fleet.fleet_state import Column, Summary, error_ratio, in_maintenance

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def column_title(column: Column) -> str:
    """Heading of a column, short."""
    return {
        Column.AGENT: translate("Fleet", "Agent"),
        Column.GROUP: translate("Fleet", "Group"),
        Column.PRESENCE: translate("Fleet", "Presence"),
        Column.LAST_SEEN: translate("Fleet", "Last seen"),
        Column.HOUR: translate("Fleet", "Last hour"),
        Column.CPU: translate("Fleet", "CPU"),
        Column.MEMORY: translate("Fleet", "RAM"),
        Column.RESPONSE: translate("Fleet", "Resp. p95"),
        Column.ERROR_RATIO: translate("Fleet", "Error ratio"),
        Column.TASKS: translate("Fleet", "Tasks"),
        Column.ATTEMPTS: translate("Fleet", "Attempts"),
        Column.SUCCESSES: translate("Fleet", "OK"),
        Column.ERRORS: translate("Fleet", "Errors"),
        Column.LOG_ERRORS: translate("Fleet", "Log errors"),
        Column.MESSAGES: translate("Fleet", "Messages"),
    }[column]


def column_tooltip(column: Column) -> str:
    """What a column means exactly."""
    return {
        Column.AGENT: translate("Fleet", "Name of the agent; its id where it told none"),
        Column.GROUP: translate("Fleet", "Group that the agent told, or that you gave it"),
        Column.PRESENCE: translate("Fleet", "Whether the agent is there, since when, and why we say so"),
        Column.LAST_SEEN: translate("Fleet", "Time since its last live message"),
        Column.HOUR: translate(
            "Fleet", "A mark a minute: low and green online, higher late, full offline; a dot on it: errors"
        ),
        Column.CPU: translate("Fleet", "Processor use: now, and up to ten minutes back"),
        Column.MEMORY: translate("Fleet", "Memory in use: now, and up to ten minutes back"),
        Column.RESPONSE: translate("Fleet", "95 of 100 answers in the last hour came within this time"),
        Column.ERROR_RATIO: translate("Fleet", "Failed of finished tasks and answered requests in the last hour"),
        Column.TASKS: translate("Fleet", "Tasks that have not ended, as last reported"),
        Column.ATTEMPTS: translate("Fleet", "Connection attempts in the last hour"),
        Column.SUCCESSES: translate("Fleet", "Connections that succeeded in the last hour"),
        Column.ERRORS: translate("Fleet", "Connections that failed in the last hour"),
        Column.LOG_ERRORS: translate("Fleet", "Log records of level error or fatal in the last hour"),
        Column.MESSAGES: translate("Fleet", "Messages in the last hour"),
    }[column]


def cell_text(fleet: FleetResult, row: int, column: Column) -> str:
    """What a cell says, also to a screen reader and to the clipboard."""
    match column:
        case Column.AGENT:
            return visible(fleet.name[row] or fleet.id[row])
        case Column.GROUP:
            return visible(fleet.group[row])
        case Column.PRESENCE:
            return presence_text(fleet, row)
        case Column.LAST_SEEN:
            seen_us = int(fleet.last_seen_us[row])
            return format_age(max(0, fleet.at_us - seen_us)) if seen_us else format_age(None)
        case Column.HOUR:
            return _hour_text(fleet, row)
        case Column.CPU:
            return format_value(float(fleet.cpu[row]), fleet.cpu_unit[row])
        case Column.MEMORY:
            return format_value(float(fleet.memory[row]), fleet.memory_unit[row])
        case Column.RESPONSE:
            return format_value(float(fleet.response_p95_s[row]), "s")
        case Column.ERROR_RATIO:
            return _ratio_text(fleet, row)
        case _:
            return _count_text(fleet, row, column)


def cell_tooltip(fleet: FleetResult, row: int, column: Column) -> str | None:
    """More about a cell; outside text is escaped by the table's own tooltips."""
    match column:
        case Column.AGENT:
            note = f"\n{visible(fleet.note[row])}" if fleet.note[row] else ""
            return f"{visible(fleet.id[row])}\n{convention_word(fleet.convention[row])}{note}"
        case Column.PRESENCE:
            since = format_time(int(fleet.since_us[row]), now_us=fleet.at_us, digits=0)
            interval = int(fleet.interval_us[row])
            told = (
                translate("Fleet", "expected every {interval}").replace("{interval}", format_age(interval))
                if interval
                else ""
            )
            return "\n".join(
                x
                for x in (presence_text(fleet, row), translate("Fleet", "since {time}").replace("{time}", since), told)
                if x
            )
        case Column.CPU:
            return _source_text(fleet.cpu_source[row])
        case Column.MEMORY:
            return _source_text(fleet.memory_source[row])
        case Column.LAST_SEEN:
            return format_time(int(fleet.last_seen_us[row]) or None, now_us=fleet.at_us, digits=3)
        case Column.RESPONSE:
            return translate("Fleet", "of {n} answers").replace("{n}", format_count(int(fleet.response_n[row])))
        case Column.HOUR:
            return _hour_text(fleet, row)
        case _:
            return None


def presence_text(fleet: FleetResult, row: int) -> str:
    """Such as "offline · will", "degraded" (which only an agent that is there can be), "maintenance (offline)"."""
    presence, condition = Presence(int(fleet.presence[row])), Condition(int(fleet.condition[row]))
    word = presence_word(presence)
    if in_maintenance(fleet)[row]:
        if presence is Presence.ONLINE:
            return translate("Fleet", "maintenance")
        return translate("Fleet", "maintenance ({presence})").replace("{presence}", word)
    if presence is Presence.ONLINE:
        return condition_word(condition) if condition != Condition.OK else word
    if presence is Presence.STOPPED and fleet.cause[row] is Cause.GOODBYE:
        return word  # what else
    return f"{word} · {cause_word(fleet.cause[row])}"


def heading_text(group: str, count: int, not_well: int, *, folded: bool) -> str:
    """Of a group heading."""
    name = visible(group) or translate("Fleet", "no group")
    agents = (
        translate("Fleet", "1 agent")
        if count == 1
        else translate("Fleet", "{n} agents").replace("{n}", format_count(count))
    )
    ill = " · " + translate("Fleet", "{n} not well").replace("{n}", format_count(not_well)) if not_well else ""
    return f"{'▸' if folded else '▾'} {name}   {agents}{ill}"


def sentence(fleet: FleetResult, summary: Summary, *, connected: bool) -> str:
    """The fleet in one sentence; names the agent most worth looking at."""
    if not summary.total:
        if not connected:
            return translate("Fleet", "Not connected: connect to a broker to see its agents")
        return translate("Fleet", "No agents yet")
    if not connected and summary.unknown == summary.total:
        return translate("Fleet", "Not connected: nothing is known of {n} agents").replace(
            "{n}", format_count(summary.total)
        )
    parts = [
        translate("Fleet", "{well} of {total} well")
        .replace("{well}", format_count(summary.well))
        .replace("{total}", format_count(summary.total))
    ]
    if summary.worst >= 0:
        parts.append(_worst_text(fleet, summary.worst))
        if summary.not_well > 1:
            parts.append(translate("Fleet", "{n} more not well").replace("{n}", format_count(summary.not_well - 1)))
    for count, text in (
        (summary.stopped, translate("Fleet", "{n} stopped")),
        (summary.unknown, translate("Fleet", "{n} unknown")),
        (summary.maintenance, translate("Fleet", "{n} in maintenance")),
    ):
        if count:
            parts.append(text.replace("{n}", format_count(count)))
    return " · ".join(parts)


def _worst_text(fleet: FleetResult, row: int) -> str:
    name = visible(fleet.name[row] or fleet.id[row])
    presence = Presence(int(fleet.presence[row]))
    since = format_time(int(fleet.since_us[row]), now_us=fleet.at_us)
    if presence in (Presence.OFFLINE, Presence.LATE):
        text = translate("Fleet", "{agent} {presence} since {time} ({cause})")
        text = text.replace("{presence}", presence_word(presence)).replace("{cause}", cause_word(fleet.cause[row]))
    elif fleet.condition[row] == Condition.DEGRADED:
        text = translate("Fleet", "{agent} degraded since {time}")
    else:
        ratio = format_value(float(error_ratio(fleet)[row]), "1")
        text = translate("Fleet", "{agent} fails {ratio} of its work").replace("{ratio}", ratio)
    return text.replace("{time}", since).replace("{agent}", name)


def _ratio_text(fleet: FleetResult, row: int) -> str:
    finished = int(fleet.finished[row])
    if not finished:
        return format_value(math.nan, "1")
    return f"{format_value(fleet.failed[row] / finished, '1')} · n {format_count(finished)}"


def _count_text(fleet: FleetResult, row: int, column: Column) -> str:
    values = {
        Column.TASKS: fleet.tasks_open,
        Column.ATTEMPTS: fleet.attempts,
        Column.SUCCESSES: fleet.successes,
        Column.ERRORS: fleet.errors,
        Column.LOG_ERRORS: fleet.log_errors,
        Column.MESSAGES: fleet.messages,
    }[column]
    connections = column in (Column.ATTEMPTS, Column.SUCCESSES, Column.ERRORS)
    if connections and not (fleet.attempts[row] or fleet.successes[row] or fleet.errors[row]):
        return format_count(None)  # most agents tell of no connections: that is no data, not none
    return format_count(int(values[row]))


def _hour_text(fleet: FleetResult, row: int) -> str:
    cells = fleet.hour_presence[row]
    known = int((cells > 0).sum())
    if not known:
        return translate("Fleet", "nothing known of the last hour")
    text = translate("Fleet", "{online} of {known} minutes online, {errors} errors")
    counts = {
        "online": int((cells == Presence.ONLINE).sum()),
        "known": known,
        "errors": int(fleet.hour_errors[row].sum()),
    }
    for name, count in counts.items():
        text = text.replace("{" + name + "}", format_count(count))
    return text


def _source_text(source: str) -> str:
    return (
        translate("Fleet", "from {series}").replace("{series}", visible(source))
        if source
        else translate("Fleet", "the agent told none")
    )
