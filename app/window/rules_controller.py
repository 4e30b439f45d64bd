"""Teaching what messages mean: the form filled for a message, its rule tried on what is stored, kept, and taken up."""

from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from app.rules_file import Change, RulesFile
from app.settings import SettingsFile
from app.why import MOST_DECLARED
from app.window.latest_work import LatestWork
from app.window.recorder_link import RecorderLink
from app.window.rule_list_controller import RuleListController, named
from app.window.rule_previews import Known, RulePreviews
from models.domain.clock import Clock
from models.domain.connection import Connection
from models.domain.json_path import NOTHING, Path, decode, number_in, parse_path, value_at
from models.domain.problems import Problem, Severity, trouble
from models.domain.queries import (
    DataSource,
    Failed,
    MessageLine,
    MessageRequest,
    MessageResult,
    NamesRequest,
    NamesResult,
    Result,
    RowKey,
)
from models.domain.rules import Meaning, Rule, RuleError, SameAgent
from models.storage.history.why import declared_messages
from models.storage.workspace import Workspace
from mqtt.reading.rule_suggestion import suggest
from widgets.common.plain import visible
from widgets.common.theme import ThemeHolder
from widgets.frame.main_window import MainWindow
from widgets.frame.notice_bar import Notice
from widgets.messages.lesson import Lesson
from widgets.messages.payload_places import places_of
from widgets.messages.rule_form import RuleForm
from widgets.messages.whole_payload import with_whole

NOTICE = "rule"
_NO_RECORDER = "recorder."


class RulesController(QObject):
    """Shows the form, one at a time. The file is read and written beside the GUI thread. GUI thread."""

    reread_wanted = Signal()
    """Somebody wants history to be read with what the rules say now."""

    def __init__(
        self, link: RecorderLink, source: DataSource, workspace: Workspace, clock: Clock, themes: ThemeHolder, window: MainWindow
    ) -> None:  # fmt: skip
        super().__init__(window)
        self._link, self._source, self._themes, self._window = link, source, themes, window
        self._workspace, self._path = workspace, workspace.rules
        self._file, self._settings = RulesFile(workspace.rules), SettingsFile(workspace.settings)
        self._work = LatestWork(self)
        self._previews = RulePreviews(source, self._work, clock, self)
        self._line: MessageLine | None = None
        self._pointed: Path | None = None
        self._edited: Rule | SameAgent | None = None
        self._agents: dict[int, str] = {}
        self.form: RuleForm | None = None
        self.list = RuleListController(link, self._file, workspace.rules, self._work, themes, window)
        self.list.reread_wanted.connect(self.reread_wanted)
        self.list.edit_wanted.connect(self.edit)

    @property
    def idle(self) -> bool:
        """Is nothing read or written?"""
        return self._work.idle

    def shutdown(self) -> None:
        self._previews.stop()
        self._work.shutdown()

    # ------------------------------------------------------------ form

    def teach_message(self, key: RowKey) -> None:
        """Bring the form up for the message with this key."""
        self.teach(Lesson(key=key))

    @Slot(object)
    def teach(self, lesson: Lesson) -> None:
        """Bring the form up for a message, once that is there."""
        tell = self._window.notices.show_problem
        if lesson.line is not None:
            with_whole(self._source, lesson.line, partial(self._begin, lesson), tell)
            return

        def take(result: Result | Failed) -> None:
            if isinstance(result, Failed):
                tell(result.problem)
            elif isinstance(result, MessageResult) and result.rows:
                with_whole(self._source, result.rows[0], partial(self._begin, lesson), tell)
            else:
                tell(Problem("message.gone"))

        before = lesson.key._replace(seq=lesson.key.seq + 1) if lesson.key is not None else None
        self._source.ask(MessageRequest(topic=lesson.topic, before=before, limit=1), take)

    def _begin(self, lesson: Lesson, line: MessageLine) -> None:
        form = self._form()
        self._line, self._pointed, self._edited = line, lesson.path, None
        form.begin(None if lesson.same else lesson.means or meaning_of(line.payload))
        self._previews.begin()
        self._propose()
        if lesson.same:
            self._previews.fetch(topic=line.topic)
        self._bring_up()

    @Slot(object)
    def edit(self, said: Rule | SameAgent) -> None:
        """Bring the form up for a rule or a name that was kept before."""
        form = self._form()
        self._line, self._pointed, self._edited = None, None, said
        self._previews.begin(said)
        form.change(said)
        if isinstance(said, SameAgent):
            self._previews.fetch(pattern="#")  # whichever of the newest messages call it so
        self._bring_up()

    def _bring_up(self) -> None:
        form = self._form()
        self._source.ask(NamesRequest(), self._take_names)
        self._work.want("load", self._load, self._loaded)
        form.show()
        form.raise_()
        form.activateWindow()
        form.focus_first()

    def _form(self) -> RuleForm:
        if self.form is None:
            form = self.form = RuleForm(self._themes, self._window)
            form.rule_changed.connect(self._previews.say)
            form.pattern_changed.connect(self._previews.fetch)
            form.proposal_wanted.connect(self._place_or_meaning_chosen)
            form.save_requested.connect(self._save)
            form.list_requested.connect(self.list.open)
            form.closed.connect(self._previews.stop)
            self._previews.met.connect(self._take_example)
            self._previews.found.connect(form.show_preview)
            self._previews.failed.connect(form.preview.show_problem)
        return self.form

    @Slot()
    def _place_or_meaning_chosen(self) -> None:
        place = self._form().fields.fields["path"].text
        try:
            self._pointed = parse_path(place) if place else self._pointed
        except ValueError:
            pass  # it is told below the field
        self._propose()

    def _propose(self) -> None:
        line, form = self._line, self._form()
        if line is None:  # of a rule that is changed, and no message is there to propose anything of
            return
        document = decode(line.payload)
        means = form.fields.means
        if means is None:
            form.propose(SameAgent(self._agents.get(line.agent, ""), ""), places_of(document))
            return
        try:
            said = suggest(line.topic, place_for(means, document, self._pointed), means)
        except RuleError:  # of a topic that no pattern can be made of
            said = Rule("#", Meaning.IGNORE)
        form.propose(said, places_of(document))

    @Slot(object)
    def _take_example(self, line: MessageLine) -> None:
        """A message that the rule which is changed fits: its places may be chosen."""
        if isinstance(self._edited, Rule):
            self._line = line
            self._form().fields.offer(places_of(decode(line.payload)), self._edited.pattern.names)

    def _take_names(self, result: Result | Failed) -> None:
        if not isinstance(result, NamesResult):
            return
        self._agents = dict(zip(result.agent, result.id, strict=True))
        form = self._form()
        form.fields.offer_agents(sorted(self._agents.values(), key=str.casefold))
        if form.fields.means is None and self._edited is None:
            self._propose()

    # ------------------------------------------------------------ file

    def _load(self) -> Known:
        """Work thread."""
        connection = self._settings.load().connection or Connection()
        return Known(
            self._file.load().rules, connection.prefix, tuple(declared_messages(self._workspace, MOST_DECLARED))
        )

    def _loaded(self, answer: Known | Problem) -> None:
        if isinstance(answer, Problem):
            self._form().show_problem(answer)
            self._form().preview.show_problem(answer)
        else:
            self._previews.use(answer)

    @Slot(object)
    def _save(self, said: Rule | SameAgent) -> None:
        self._work.want("save", partial(self._keep, said, self._edited), partial(self._saved, said))

    def _keep(self, said: Rule | SameAgent, instead_of: Rule | SameAgent | None) -> Change:
        """Work thread. A file that cannot be read is never written over."""
        self._file.load()
        if isinstance(said, Rule):
            return self._file.replace(instead_of, said) if isinstance(instead_of, Rule) else self._file.add(said)
        try:
            return self._file.add_same(*said, instead_of=instead_of.name if isinstance(instead_of, SameAgent) else "")
        except RuleError as error:
            raise trouble("rules.bad", path=str(self._path), where="[same]", detail=str(error)) from None

    def _saved(self, said: Rule | SameAgent, answer: Change | Problem) -> None:
        form = self._form()
        if isinstance(answer, Problem):
            form.show_problem(answer)
            return
        form.accept()
        undoing = self.tr("Take “{topic}” out") if self._edited is None else self.tr("Have “{topic}” as it was")
        self.list.note(undoing.replace("{topic}", named(said)), answer)
        if isinstance(said, Rule):
            about = self.tr("The rule for “{topic}” is kept.").replace("{topic}", named(said))
        else:
            about = self.tr("“{name}” is “{agent}” from now on.")
            about = about.replace("{name}", named(said)).replace("{agent}", visible(said.agent, 80))
        self._take_up(about)

    def _take_up(self, about: str) -> None:
        """Have the recorder read the file again, then tell."""
        self._link.wake(partial(self._taken_up, about))

    def _taken_up(self, about: str, problem: Problem | None) -> None:
        if problem is None:
            remedy = self.tr(
                "It reads what comes from now on. What is stored stays as it was read; read history again?"
            )
            action, act = self.tr("Read history again…"), self.reread_wanted.emit
        elif problem.code.startswith(_NO_RECORDER):
            remedy = self.tr("No recorder answers just now; the next one begins with it.")
            action, act = self.tr("Mapping rules…"), self.list.open
        else:
            self._window.notices.show_problem(problem)
            return
        self._window.notices.show_notice(Notice(NOTICE, Severity.INFO, about, remedy, action=action, on_action=act))
        self.list.refresh()


def place_for(means: Meaning, document: object, pointed: Path | None) -> Path:
    """Where what a rule speaks of stands: where somebody pointed, if that can be it; a number else where the first one is."""
    value = value_at(document, pointed) if pointed is not None and document is not NOTHING else NOTHING
    match means:
        case Meaning.NUMBER:
            if pointed is not None and isinstance(value, str | int | float) and not isinstance(value, bool):
                return pointed
            return next((one.path for one in places_of(document) if number_in(one.value) is not None), ())
        case Meaning.AGENT | Meaning.LOG:
            return pointed if pointed and isinstance(value, str) else ()
        case Meaning.STATUS:
            return pointed if pointed and isinstance(value, str | bool | int) else ()
    return ()


def meaning_of(payload: bytes) -> Meaning:
    """What a payload most likely is, to begin with."""
    document = decode(payload)
    if number_in(document) is not None or any(number_in(one.value) is not None for one in places_of(document)):
        return Meaning.NUMBER
    return Meaning.LOG
