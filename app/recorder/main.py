"""The recorder process: one composition root, from lock to last word."""

import encodings.ascii
import encodings.idna  # noqa: F401 - both looked up at the first connection: too late, should the package be replaced under us
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass

from app.crash_file import crash_before, forget_crashes, watch_for_crashes
from app.files.options import FilesOptions
from app.password_store import PasswordStore
from app.recorder.broker_choice import BrokerChoice
from app.recorder.broker_link import BrokerLink, FeedMaker
from app.recorder.companion import demo_fleet, host_agent
from app.recorder.control_server import ControlServer
from app.recorder.embedded_broker import EmbeddedBroker, broker_folder
from app.recorder.files_writer import FilesWriter
from app.recorder.import_run import Importer
from app.recorder.imports import Imports
from app.recorder.ingest import DISK_LIMIT_US, Ingest
from app.recorder.kept_passwords import KeptPasswords
from app.recorder.late_reread import LateReread
from app.recorder.log_file import Faults, SecretMask, log_to_file
from app.recorder.merge_run import Merger
from app.recorder.ports import Feed
from app.recorder.publisher import Publisher
from app.recorder.reread_run import HistoryInChild, Rereader
from app.recorder.rules_in_force import RulesInForce
from app.recorder.sealing import Sealer
from app.recorder.supervisor import NETWORK, NETWORK_LIMIT_US, EndRules, Requests, Supervisor
from app.recorder.tasks.beginning import desk_of
from app.recorder.tasks.hearing import Hearing
from app.recorder.tasks.verbs import TaskVerbs
from app.recorder.verbs import RecorderVerbs
from app.recorder.watch import Watch
from app.rules_file import RulesFile
from app.settings import Retention, SettingsFile
from app.store_limits import store_limits
from app.version import VERSION
from models.domain.clock import Clock, Instant, SystemClock
from models.domain.connection import Connection, Secret
from models.domain.masking import PLAIN_KEYS, Masking
from models.domain.presence import PresenceKeeper
from models.domain.problems import EnvironmentProblem, ExitCode, Problem, trouble
from models.domain.recorded import RereadProgress, RereadResult
from models.domain.records import Present
from models.storage.access import refuse_untouched
from models.storage.history.topics import presence_topics
from models.storage.identity import client_id, read_workspace_id
from models.storage.keeping.retention import StoreLimits
from models.storage.lock import RecorderLock
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from mqtt.connection_test import test_connection
from mqtt.inbox import Inbox, InboxLimits
from mqtt.reading.reader import Reader
from mqtt.retained_states import KnownStates
from mqtt.session import LinkState, Session, SessionMemory

CRASH, CRASH_BEFORE = "recorder.crash", "recorder-before.crash"
TASKS_LIMIT_US = 300_000_000  # it may have much to read at its start, and recording does not wait for it
IDLE_US = 50_000  # how long a command may wait while no message comes
KEEP_ALL = Retention(gib=0, days=0, import_gib=0, import_days=0, hours_gib=0, hours_days=0)
"""While nobody can read how much is to be kept: what is removed does not come back."""
GARBAGE = (50_000, 20, 50)
"""Messages live until they are stored and form no cycles: looking for cycles after every 700 of them cost a third of receiving."""
SWITCH_S = 0.000_5
"""How long the thread that stores may keep the interpreter while the network waits: with Python's five milliseconds, each read
of the socket came 6 to 12 ms late (median, one busy thread), and a small window stayed full for so long."""
_ENDING = ((signal.SIGTERM, ExitCode.OK), (signal.SIGHUP, ExitCode.OK), (signal.SIGINT, ExitCode.INTERRUPTED))
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """What the command line asks for. `connection` None: the saved one, else a broker of our own."""

    connection: Connection | None = None
    secret: Secret | None = None
    duration_s: float | None = None
    with_window: bool = False
    files: FilesOptions | None = None
    new_session: bool = False  # the broker shall first forget what it keeps for us


def record(workspace: Workspace, options: RecordOptions) -> int:
    """Run a recorder until it is to end; answers the exit code. Main thread of the process. Raises `EnvironmentProblem`
    where it cannot begin."""
    os.umask(0o077)
    clock = SystemClock()
    refuse_untouched(workspace)
    lock = RecorderLock(workspace, clock)
    lock.acquire(VERSION)
    faults = Faults()
    try:
        handler, mask = _open_log(workspace)
        mask.hide(options.secret)
        restore_hooks = faults.catch_all()
        crashed = _crash_before(workspace)
        crash_file = watch_for_crashes(workspace.root / CRASH)
        try:
            _LOG.info("version %s, process %s", VERSION, os.getpid())
            requests = Requests()
            for number, code in _ENDING:
                signal.signal(number, _ender(requests, code))
            supervisor = _compose(workspace, options, clock, lock, faults, mask, requests, crashed)
            gc.freeze()
            gc.set_threshold(*GARBAGE)
            sys.setswitchinterval(SWITCH_S)
            exit_code = supervisor.run()
            _LOG.info("ended with %s", exit_code)
        except EnvironmentProblem as error:
            _LOG.error("%s", error)
            raise
        except BaseException:
            faults.note("the main thread failed")
            raise
        finally:
            restore_hooks()
            forget_crashes(crash_file)
            logging.getLogger().removeHandler(handler)
            handler.close()
    finally:
        lock.release()
    return exit_code


def _open_log(workspace: Workspace) -> tuple[logging.Handler, SecretMask]:
    try:
        return log_to_file(workspace.log)
    except OSError as error:
        raise trouble("workspace.read-only", path=str(workspace.log), detail=error.strerror or str(error)) from error


def _crash_before(workspace: Workspace) -> Problem | None:
    kept = workspace.root / CRASH_BEFORE
    moment = crash_before(workspace.root / CRASH, kept)
    if moment is None:
        return None
    return Problem("recorder.crashed", {"time": moment.isoformat(" ", "seconds"), "path": str(kept)})


def _ender(requests: Requests, exit_code: int) -> Callable[[int, object], None]:
    return lambda _number, _frame: requests.end(exit_code)


def _compose(
    workspace: Workspace, options: RecordOptions, clock: Clock, lock: RecorderLock, faults: Faults, mask: SecretMask,
    requests: Requests, crashed: Problem | None,
) -> Supervisor:  # fmt: skip
    choice = BrokerChoice(SettingsFile(workspace.settings), options.connection, options.secret)
    choice.read()
    demo = choice.settings.demo
    if demo is not None and options.connection is not None:
        raise trouble("demo.only", path=str(workspace.root))
    closing = ThreadPoolExecutor(1, "closing")
    closing.submit(lambda: None)  # so that the thread is there from the start, as all others
    store = StoreWriter(workspace, clock, limits_of(choice), closing)
    if crashed is not None:
        store.problems.append(crashed)  # told like whatever else was found at the start
    keeper = PresenceKeeper()
    keeper.load(store.before.declared_intervals, store.before.gone)
    watch = Watch(clock)
    ingest = Ingest(store, keeper, clock, faults, watch.beat_of("ingest"))
    rules = RulesInForce(RulesFile(workspace.rules))

    def take_rules() -> None:
        if rules.read():
            ingest.use_rules(rules.rules, rules.problems)

    take_rules()
    folder = broker_folder(workspace)
    client = client_id(workspace, read_workspace_id(workspace))
    masking = Masking(hidden_keys_of(choice))
    make_feed = _feed_maker(store, client, clock, masking, _known_states(workspace), anew=options.new_session)
    kept = KeptPasswords(PasswordStore(), requests, mask)
    link = BrokerLink(
        choice,
        make_feed,
        ingest,
        EmbeddedBroker(folder, clock),
        host_agent(folder, clock) if demo is None else demo_fleet(folder, clock, demo),
        clock,
        requests.wake,
        kept.find,
    )

    def wake(anew: bool) -> None:
        link.wake(anew=anew)  # reads the settings again
        ingest.keep_within(limits_of(choice))
        desk.keep_within(limits_of(choice))
        masking.use(hidden_keys_of(choice))
        take_rules()

    files = FilesWriter(workspace, options.files, store.newest_segment, clock)
    sealer = Sealer(workspace, store.sealing, ingest.ask, clock)
    imports = Imports(
        Importer(store, ingest.carry_out, clock, masking, lambda: rules.rules),
        Merger(workspace, store, ingest.carry_out, clock),
    )

    def on_swapped(gone: Sequence[int], there: Sequence[Present]) -> None:
        keeper.take_over(gone, there, Instant.now(clock))

    rereader = Rereader(store, HistoryInChild(workspace), ingest.carry_out, on_swapped)

    def reread_late(since_us: int, on_progress: Callable[[RereadProgress], None]) -> RereadResult:
        requests.ask(lambda: wake(False))  # so that the rules are the same
        return rereader.run(since_us, 0, (link.connection or Connection()).prefix, on_progress)

    late = LateReread(store.late, ingest.ask, reread_late, clock)
    desk = desk_of(workspace, client, link, clock, faults, watch.beat_of("tasks"))
    desk.keep_within(limits_of(choice))
    ingest.on_stored = Hearing(store.names, client, lambda: own_prefix(link), desk).stored
    verbs = RecorderVerbs(
        requests, wake, link, ingest, files, sealer, faults, mask, test_connection, Publisher(link, clock).publish,
        imports, rereader, late, TaskVerbs(desk), started_by(options), clock.wall_us(), str(workspace.log),
    )  # fmt: skip
    control = ControlServer(workspace.socket, verbs, clock, watch.beat_of("control"))
    watch.add("ingest", ingest.thread.is_alive, DISK_LIMIT_US)
    watch.add("control", control.thread.is_alive)
    watch.add("tasks", desk.thread.is_alive, TASKS_LIMIT_US)
    watch.add(NETWORK, lambda: True, NETWORK_LIMIT_US)  # one that died takes no turns either
    end = EndRules(options.with_window, options.duration_s)
    return Supervisor(
        workspace, lock, link, ingest, desk, files, sealer, late, control, watch, clock, end, requests, faults
    )


def _feed_maker(
    store: StoreWriter, client: str, clock: Clock, masking: Masking, known_states: KnownStates, *, anew: bool
) -> FeedMaker:
    """`anew`: the first session begins with nothing that the broker kept."""
    names, heard_before = store.names, store.before.heard
    memory = SessionMemory()

    def make(
        connection: Connection, secret: Secret | None, on_link: Callable[[LinkState], None], *, again: bool
    ) -> Feed:
        nonlocal memory, heard_before, anew
        if again:
            memory = deepcopy(memory)  # the thread of before may yet write into its own
        else:
            expects_session = heard_before == (connection.url, client) and connection.session_expiry_s > 0
            memory = SessionMemory(expects_session, anew=anew)
            heard_before, anew = None, False  # whoever leaves a broker ends the session there
        inbox = Inbox(clock, InboxLimits(idle_us=IDLE_US))
        session = Session(
            connection, secret, client, inbox, clock, on_link, memory=memory, journal=store.journal, masking=masking,
            known_states=known_states,
        )  # fmt: skip
        return Feed(session, inbox, Reader(names, connection.prefix, clock), connection.url, client)

    return make


def _known_states(workspace: Workspace) -> KnownStates:
    def known(most: int) -> list[bytes]:  # network thread
        try:
            return presence_topics(workspace, most)
        except EnvironmentProblem as error:
            logging.getLogger(__name__).warning("nobody's retained state is asked for: %s", error)
            return []

    return known


def limits_of(choice: BrokerChoice) -> StoreLimits:
    """What the settings, as last read, say of how much is kept."""
    return store_limits(choice.settings.retention if choice.problem is None else KEEP_ALL)


def hidden_keys_of(choice: BrokerChoice) -> tuple[str, ...]:
    """What the settings say; where they cannot be read, what is hidden without any."""
    return choice.settings.hidden_keys if choice.problem is None else PLAIN_KEYS


def own_prefix(link: BrokerLink) -> str:
    """Of the topics of our own contract at this broker."""
    return (link.connection or Connection()).prefix


def started_by(options: RecordOptions) -> str:
    """Who began this run, as `RecorderState.started_by` says it."""
    if options.with_window:
        return "window"
    return "service" if "INVOCATION_ID" in os.environ else "cli"  # systemd sets it
