"""What one says of a job: what it is, how far, what came of it. Translated texts from plain figures."""

from pathlib import Path

from PySide6.QtCore import QCoreApplication

from models.domain.quantity import format_time
from models.domain.recorded import ImportResult, RereadResult
from widgets.common.numbers import count_text, duration_text, value_text
from widgets.common.plain import visible
from widgets.common.words import dataset_word, problem_text
from widgets.data.jobs import INCIDENT, ExportOrder, Job, JobKind, JobState

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def _filled(text: str, **places: str) -> str:
    for place, value in places.items():
        text = text.replace("{" + place + "}", value)
    return text


def title(job: Job) -> str:
    """What it does, such as "Export of samples, crawler-1"."""
    if job.kind is JobKind.EXPORT and job.order is not None:
        return _export_title(job.order)
    if job.kind is JobKind.IMPORT:
        names = ", ".join(visible(Path(path).name, 80) for path in job.paths)
        return _filled(translate("JobTexts", "Import of {files}"), files=names)
    if job.kind is JobKind.SALVAGE:
        return translate("JobTexts", "Salvage of damaged files")
    if job.kind is JobKind.REREAD:
        return translate("JobTexts", "History read again") + _span_text(*job.span)
    return translate("JobTexts", "Check of every file")


def _export_title(order: ExportOrder) -> str:
    if order.dataset == INCIDENT:
        agents = visible(", ".join(order.agents), 80) or translate("JobTexts", "all agents")
        return _filled(translate("JobTexts", "Incident: {agents}"), agents=agents) + _span_text(
            order.since_us, order.until_us
        )
    text = _filled(translate("JobTexts", "Export: {dataset}"), dataset=dataset_word(order.dataset))
    if order.agent:
        text += f", {visible(order.agent, 80)}"
    return text + _span_text(order.since_us, order.until_us)


def _span_text(since_us: int, until_us: int) -> str:
    if not since_us and not until_us:
        return ""
    return f", {format_time(since_us) if since_us else '…'} – {format_time(until_us) if until_us else '…'}"


def progress(job: Job, now_us: int) -> str:
    """How far it is, or what came of it, in one line."""
    match job.state:
        case JobState.WAITING:
            return translate("JobTexts", "waits")
        case JobState.RUNNING:
            return _running(job, now_us)
        case JobState.CANCELLED if job.kind is JobKind.REREAD:
            return translate("JobTexts", "cancelled, history stays as it was")
        case JobState.CANCELLED:
            return translate("JobTexts", "cancelled, nothing was left behind")
        case JobState.FAILED:
            return " ".join(filter(None, problem_text(job.problem))) if job.problem else translate("JobTexts", "failed")
    return _done(job)


def _running(job: Job, now_us: int) -> str:
    passed_s = max(1e-3, (now_us - job.began_us) / 1e6)
    rate = count_text(round(job.rows / passed_s))
    if job.kind is JobKind.EXPORT:
        text = translate("JobTexts", "{rows} rows, {rate}/s, {size}")
        return _filled(text, rows=count_text(job.rows), rate=rate, size=value_text(job.bytes, "By"))
    if job.kind is JobKind.SALVAGE:
        return translate("JobTexts", "finds what is damaged, and brings back what can still be read")
    if job.held_up:
        return translate("JobTexts", "all is read; it waits until an export or a backup has ended")
    if job.kind is JobKind.REREAD and not job.total:
        return translate("JobTexts", "waits until the files of history can be read")
    text = _filled(translate("JobTexts", "{rows} messages, {rate}/s"), rows=count_text(job.rows), rate=rate)
    if job.kind is JobKind.VERIFY and job.total:
        files = _filled(
            translate("JobTexts", "file {n} of {all}"), n=str(min(job.done + 1, job.total)), all=str(job.total)
        )
        return f"{files}, {text}"
    if job.share and passed_s > 1:
        left = duration_text(round(passed_s * (1 - job.share) / job.share) * 1_000_000)
        text += ", " + _filled(translate("JobTexts", "about {time} left"), time=left)
    return text


def _done(job: Job) -> str:
    if job.kind is JobKind.IMPORT and job.imported is not None:
        return import_text(job.imported, job.ended_us - job.began_us)
    took = duration_text(max(0, job.ended_us - job.began_us) // 1_000 * 1_000)
    if job.kind is JobKind.EXPORT:
        text = translate("JobTexts", "{rows} rows, {size}, in {time}")
        text = _filled(text, rows=count_text(job.rows), size=value_text(job.bytes, "By"), time=took)
        if job.damaged:
            more = translate("JobTexts", "files that could not be read whole: {n}")
            text += "; " + _filled(more, n=str(job.damaged))
        return text
    if job.kind is JobKind.SALVAGE:
        return _salvaged(job, took)
    if job.reread is not None:
        return reread_text(job.reread, took)
    if job.findings:
        text = translate("JobTexts", "something is wrong: findings {n}, in files {files}; messages {messages}, in {time}")  # fmt: skip
        files = str(len({one.path for one in job.findings}))
        return _filled(text, n=count_text(len(job.findings)), files=files, messages=count_text(job.rows), time=took)
    text = translate("JobTexts", "everything fits: messages {messages}, files {files}, in {time}")
    return _filled(text, files=count_text(job.total), messages=count_text(job.rows), time=took)


def _salvaged(job: Job, took: str) -> str:
    if not job.salvaged:
        return translate("JobTexts", "there was nothing to bring back")
    text = translate("JobTexts", "{n} of {of} messages are back, files {files}, in {time}")
    messages, of = sum(one.messages for one in job.salvaged), sum(one.of for one in job.salvaged)
    return _filled(text, n=count_text(messages), of=count_text(of), files=str(len(job.salvaged)), time=took)


def reread_text(result: RereadResult, took: str) -> str:
    """What came of reading history again within `took`."""
    if result.segments:
        text = translate(
            "JobTexts",
            "messages {messages}, files {files}: agents {agents}, samples {samples}, log records {logs}, task reports {tasks},"
            " in {time}",
        )
        text = _filled(
            text, messages=count_text(result.messages), files=count_text(result.segments), time=took,
            agents=count_text(result.agents), samples=count_text(result.samples), logs=count_text(result.logs),
            tasks=count_text(result.tasks),
        )  # fmt: skip
    else:
        text = translate("JobTexts", "nothing was recorded in that time")
    if result.unreadable:
        text += "; " + _filled(translate("JobTexts", "unreadable: {n}"), n=count_text(result.unreadable))
    if result.left_segments:
        more = translate("JobTexts", "damaged files, which stay as they were: {n}")
        text += "; " + _filled(more, n=count_text(result.left_segments))
    return text


def import_running_text(messages: int, passed_us: int) -> str:
    """How far an import is that has run for so long."""
    rate = count_text(round(messages / max(1e-3, passed_us / 1e6)))
    return _filled(translate("JobTexts", "{rows} messages, {rate}/s"), rows=count_text(messages), rate=rate)


def import_text(result: ImportResult, took_us: int) -> str:
    """What came of an import."""
    took = duration_text(max(0, took_us) // 1_000 * 1_000)
    if not result.messages and result.held_segments:
        return _merged(translate("JobTexts", "nothing new"), result)
    text = translate(
        "JobTexts", "messages {messages}, agents {agents}, samples {samples}, log records {logs}, in {time}"
    )
    text = _filled(
        text, messages=count_text(result.messages), agents=count_text(result.agents),
        samples=count_text(result.samples), logs=count_text(result.logs), time=took,
    )  # fmt: skip
    unreadable = sum(result.unreadable.values())
    if unreadable:
        text += "; " + _filled(translate("JobTexts", "unreadable: {n}"), n=count_text(unreadable))
    if result.first_skipped is not None:
        more = translate("JobTexts", "lines that are no records: {n}, the first is line {line} of {file}")
        first = result.first_skipped
        name = visible(Path(first.path).name, 80)
        text += "; " + _filled(more, n=count_text(result.skipped), line=str(first.line), file=name)
    return _merged(text, result)


def _merged(text: str, result: ImportResult) -> str:
    """What is to be said of a backup or another workspace besides."""
    if result.held_segments:
        more = translate("JobTexts", "files of history that were held already: {n}")
        text += "; " + _filled(more, n=count_text(result.held_segments))
    if result.damaged_segments:
        more = translate("JobTexts", "files of history that are damaged or missing there: {n}")
        text += "; " + _filled(more, n=count_text(result.damaged_segments))
    return text
