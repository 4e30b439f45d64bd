"""What can go wrong around us: a code with parameters, one sentence with cause, one with the way out, one exit code.

The store and the control channel carry codes and parameters; sentences are made where somebody reads them, so that the
window can translate them. A mistake of our own is never a `Problem`: it is an exception with a traceback.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class ExitCode:
    """Exit codes of the command line."""

    OK = 0
    FAILED = 1
    USAGE = 2
    MISSING_PACKAGE = 3
    CANNOT_CONNECT = 4
    REFUSED = 5
    WORKSPACE = 6
    INTERRUPTED = 130


class ProblemKind(NamedTuple):
    """`sentence` and `remedy` are English source texts with `{parameter}` places."""

    severity: Severity
    exit_code: int
    sentence: str
    remedy: str


_PLACE = re.compile(r"\{(\w+)\}")
_E, _W = Severity.ERROR, Severity.WARNING
_CONNECT, _REFUSED, _WORKSPACE = ExitCode.CANNOT_CONNECT, ExitCode.REFUSED, ExitCode.WORKSPACE

PROBLEMS: dict[str, ProblemKind] = {
    "broker.url": ProblemKind(_E, ExitCode.USAGE, "“{url}” is not the address of a broker: {detail}.",
        "Write it as mqtt://host:1883, or mqtts://, ws://, wss://."),
    "broker.name": ProblemKind(_E, _CONNECT, "There is no computer named {host}.",
        "Check the spelling, your network and your name server."),
    "broker.refused-port": ProblemKind(_E, _CONNECT, "{host} is there, but nothing listens on port {port}.",
        "Check the port (1883 plain, 8883 TLS) and whether the broker runs."),
    "broker.unreachable": ProblemKind(_E, _CONNECT, "{host} cannot be reached: {detail}.",
        "Check your network, VPN and firewall."),
    "broker.no-answer": ProblemKind(_E, _CONNECT, "{host}:{port} accepted the connection but did not answer as a broker within {seconds} s.",
        "Perhaps the port expects TLS (mqtts://), or does not, or demands a client certificate."),
    "broker.hung-up": ProblemKind(_E, _CONNECT, "{host}:{port} hung up instead of answering as a broker.",
        "Perhaps the port expects TLS (mqtts://), or does not, or another program listens there."),
    "broker.websocket": ProblemKind(_E, _CONNECT, "{host}:{port} does not speak MQTT over WebSockets at {path}.",
        "Check the port and the path, and whether the broker has a WebSocket listener."),
    "broker.tls-untrusted": ProblemKind(_E, _CONNECT, "The certificate of {host} is signed by nobody this computer trusts: {detail}.",
        "Give the authority's file (CA file) that signed it."),
    "broker.tls-host": ProblemKind(_E, _CONNECT, "The certificate that answered is not for {host}: {detail}.",
        "Connect with the name that the certificate carries."),
    "broker.tls-expired": ProblemKind(_E, _CONNECT, "The certificate of {host} has expired: {detail}.",
        "Ask whoever runs the broker to renew it, and check this computer's clock."),
    "broker.tls-client": ProblemKind(_E, _CONNECT, "{host} demands a client certificate: {detail}.",
        "Give certificate and key files that the broker accepts."),
    "broker.tls": ProblemKind(_E, _CONNECT, "No TLS connection to {host}:{port}: {detail}.",
        "Check that this port speaks TLS 1.2 or newer."),
    "broker.tls-file": ProblemKind(_E, ExitCode.USAGE, "{file} cannot be used: {detail}.",
        "Choose a PEM file that you may read."),
    "broker.credentials": ProblemKind(_E, _REFUSED, "{host} refused user “{user}”: wrong name or password.",
        "Correct them, then connect again."),
    "broker.login-needed": ProblemKind(_E, _REFUSED, "{host} admits nobody without a user name and a password.",
        "Give both, then connect again."),
    "broker.not-authorised": ProblemKind(_E, _REFUSED, "{host} does not admit user “{user}”.",
        "Check name and password. If they are right, ask whoever runs the broker to admit this user; then connect again."),
    "broker.client-id": ProblemKind(_E, _REFUSED, "{host} refused our client id.",
        "Ask whoever runs the broker which client ids it admits."),
    "broker.refused": ProblemKind(_E, _REFUSED, "{host} refused the connection: {detail}.",
        "Ask whoever runs the broker, naming this reason."),
    "broker.taken-over": ProblemKind(_E, _REFUSED, "Another program connected to {host} with our client id.",
        "Stop the other recorder of this workspace, then connect again."),
    "broker.cut-off": ProblemKind(_E, _REFUSED, "{host} ended our connection again and again soon after it was made: most likely another program has our client id.",
        "Stop the other recorder of this workspace, then connect again; it is tried by itself every five minutes."),
    "broker.subscription": ProblemKind(_W, _REFUSED, "{host} refused the subscription {filters}: {detail}.",
        "Ask for the right to read it, or name the topics you may read."),
    "broker.all-subscriptions": ProblemKind(_E, _REFUSED, "{host} refused every subscription: {detail}.",
        "Ask for the right to read, or name the topics you may read."),
    "broker.lost": ProblemKind(_W, _CONNECT, "The connection to {host} broke: {detail}.",
        "It is being made again by itself."),
    "broker.session-lost": ProblemKind(_W, ExitCode.FAILED, "{host} had forgotten our session; messages sent meanwhile are lost.",
        "Give the broker persistence, and a longer session expiry."),
    "broker.malformed": ProblemKind(_E, _CONNECT, "What {host} kept for us begins with something that is not MQTT, each time.",
        "Start a new session (record --new-session): the broker forgets what it kept, and the gap is shown."),
    "broker.insecure": ProblemKind(_W, ExitCode.OK, "The connection to {host} is not encrypted.",
        "Use mqtts:// if the broker offers it."),
    "keyring.none": ProblemKind(_W, ExitCode.FAILED, "This computer has no keyring that keeps passwords safe: {detail}.",
        "The password is kept for this session only."),
    "keyring.refused": ProblemKind(_W, ExitCode.FAILED, "The keyring did not do it: {detail}.",
        "Unlock it and try again; until then the password is kept for this session only."),
    "keyring.silent": ProblemKind(_W, ExitCode.FAILED, "The keyring did not answer within {seconds} s.",
        "Look for a window that asks to unlock it; until then the password is kept for this session only."),
    "keyring.unread": ProblemKind(_W, ExitCode.FAILED, "The recorder could not ask the keyring for the password of {url}: {detail}.",
        "Unlock the keyring and connect again, or give the password in the connection dialog, --password-file or MURMURSCOPE_PASSWORD."),
    "embedded.start": ProblemKind(_E, ExitCode.FAILED, "The broker on this computer did not start: {detail}.",
        "Connect to a broker of your own, or mend the cause and start again."),
    "system.missing": ProblemKind(_E, ExitCode.MISSING_PACKAGE, "The program {program} is missing.",
        "Install it: sudo apt-get install {package}"),
    "task.order": ProblemKind(_E, ExitCode.USAGE, "This task cannot be given: {detail}.",
        "Correct it, then give it again."),
    "task.too-many": ProblemKind(_E, ExitCode.FAILED, "Over {most} tasks would be open at a time.",
        "Give it once others have ended, or cancel some."),
    "task.unread": ProblemKind(_E, ExitCode.FAILED, "No task can be given: what is stored of them makes no sense ({detail}).",
        "Move tasks.db out of the workspace, and report it; messages are recorded all the same."),
    "task.unknown": ProblemKind(_E, ExitCode.FAILED, "No task {task} was given from here.",
        "murmurscope task list names those that were."),
    "task.ended": ProblemKind(_E, ExitCode.FAILED, "Task {task} has ended.",
        "murmurscope task show tells how; task retry tries it once more."),
    "task.runs": ProblemKind(_E, ExitCode.FAILED, "Task {task} is at work, or has completed.",
        "Cancel it first, or give a new one."),
    "task.no-question": ProblemKind(_E, ExitCode.FAILED, "The agent of task {task} asks for nothing at present.",
        "Answer once its state is input-required."),
    "command.unconfirmed": ProblemKind(_E, ExitCode.USAGE, "{command} may end what {agent} is at.",
        "Type the agent's name once more to confirm it (task command … --confirm {agent})."),
    "task.silent": ProblemKind(_E, ExitCode.FAILED, "The orchestrator did not answer within {seconds} s.",
        "What was asked may be done yet: look with murmurscope task list before asking again."),
    "workspace.missing": ProblemKind(_E, _WORKSPACE, "There is no workspace in {path}.",
        "Check the folder, or record into it first."),
    "demo.real": ProblemKind(_E, _WORKSPACE, "{path} holds recordings, and the demo mixes with none.",
        "Choose an empty folder, or leave --workspace out."),
    "demo.only": ProblemKind(_E, _WORKSPACE, "{path} is a workspace of the demo and records nothing but its simulated fleet.",
        "Choose another workspace for your broker."),
    "workspace.foreign": ProblemKind(_E, _WORKSPACE, "{path} holds other files and no workspace.",
        "Choose the folder of a workspace, or an empty one to make a workspace in."),
    "workspace.busy": ProblemKind(_E, _WORKSPACE, "Another recorder (process {pid}, since {since}) writes this workspace.",
        "Use that one, stop it, or choose another workspace."),
    "workspace.busy-elsewhere": ProblemKind(_E, _WORKSPACE, "A recorder on {host} writes this workspace.",
        "Stop it there, or choose another workspace."),
    "workspace.recorded": ProblemKind(_E, _WORKSPACE, "A recorder on {host} writes {path} just now.",
        "Make a backup of it (murmurscope backup) and take that, or stop the recorder first."),
    "workspace.newer": ProblemKind(_E, _WORKSPACE, "This workspace was written by a newer Murmurscope ({found}; this one knows {known}).",
        "Install the newer program; the files were not touched."),
    "workspace.read-only": ProblemKind(_E, _WORKSPACE, "{path} may not be written: {detail}.",
        "Change its rights, or choose another workspace; the files were not touched."),
    "workspace.network": ProblemKind(_E, _WORKSPACE, "{path} lies on a network file system ({kind}), where a database can break.",
        "Choose a folder on a disk of this computer."),
    "store.full": ProblemKind(_E, ExitCode.FAILED, "The disk that holds {path} is full.",
        "Free some space; recording goes on by itself."),
    "store.io": ProblemKind(_E, ExitCode.FAILED, "{path} could not be read or written: {detail}.",
        "Check the disk; what was acknowledged is stored."),
    "catalogue.words": ProblemKind(_W, ExitCode.FAILED, "Names, groups and notes that were given to agents, and annotations, stood in {path}; those of {count} agents and {annotations} annotations could be read and are back, others may be lost.",
        "Look through the fleet and the annotations, and say again what is missing."),
    "store.corrupt": ProblemKind(_E, ExitCode.FAILED, "{path} is damaged: {detail}.",
        "It was set aside whole, and recording goes on in a new file."),
    "journal.damaged": ProblemKind(_W, ExitCode.FAILED, "{bytes} bytes of {path} were damaged; what could be read behind them is stored.",
        "Check the disk: messages that the broker counts as delivered may be missing."),
    "journal.foreign": ProblemKind(_W, ExitCode.FAILED, "What another workspace had received and not stored lay in this one.",
        "It is kept as {path}; nothing of it is shown here."),
    "recorder.died": ProblemKind(_E, ExitCode.FAILED, "The recorder stopped ({detail}).",
        "It is being started again by itself."),
    "recorder.crashed": ProblemKind(_W, ExitCode.FAILED, "The recorder before this one crashed at {time}.",
        "What it had acknowledged is stored. Please report it with {path}."),
    "recorder.silent": ProblemKind(_E, ExitCode.FAILED, "The recorder (process {pid}) has not answered for {seconds} s.",
        "End that process; a new recorder starts by itself."),
    "recorder.version": ProblemKind(_W, _WORKSPACE, "The recorder that runs is of another version ({found}).",
        "Restart it; until then you can look but not change."),
    "look.read-only": ProblemKind(_W, _WORKSPACE, "This window only looks: nothing in a backup or a copied workspace is changed.",
        "Import it into a workspace of yours, or record in the copy (File menu), and do it there."),
    "look.folder": ProblemKind(_E, ExitCode.FAILED, "It could not be made ready to look at.", "Try again; the log says more."),
    "recorder.absent": ProblemKind(_E, ExitCode.FAILED, "No recorder runs on the workspace {path}.",
        "Start one: murmurscope record --workspace {path}"),
    "recorder.request": ProblemKind(_E, ExitCode.FAILED, "The recorder did not understand what it was asked: {detail}.",
        "Restart it if it is of another version; else report this as a mistake of the program."),
    "recorder.faults": ProblemKind(_W, ExitCode.FAILED, "The recorder met {count} errors of its own.",
        "Please report them with {path}."),
    "settings.unreadable": ProblemKind(_E, ExitCode.FAILED, "{path} cannot be read: {detail}.",
        "Mend it or move it away; until then it is left as it is."),
    "rules.gone": ProblemKind(_W, ExitCode.FAILED, "This rule does not stand in {path} any more: somebody changed it meanwhile.",
        "The list shows the rules as they are; nothing was changed."),
    "rules.changed": ProblemKind(_W, ExitCode.FAILED, "{path} was changed meanwhile, so that this cannot be undone.",
        "Edit the rule, or open the file; nothing was changed."),
    "query.unexpected": ProblemKind(_W, ExitCode.USAGE, "“{text}” at character {place} of the query has nothing to join.",
        'Put a condition before and after AND and OR, and quote what is meant as text: "(".'),
    "query.end": ProblemKind(_W, ExitCode.USAGE, "The query ends where a condition is missing (character {place}).",
        "Add one after OR, AND, NOT or the bracket, or take that away."),
    "query.quote": ProblemKind(_W, ExitCode.USAGE, "The quotation mark at character {place} of the query is not closed.",
        'Close it, or write \\" for one that is meant as text.'),
    "query.bracket": ProblemKind(_W, ExitCode.USAGE, "The bracket at character {place} of the query is not closed.",
        "Close it, or quote it if it is meant as text."),
    "query.no-value": ProblemKind(_W, ExitCode.USAGE, "Nothing stands behind {field} at character {place} of the query.",
        "Write what it is to be, such as level:error, or * for anything; or quote it all if it is meant as text."),
    "query.number": ProblemKind(_W, ExitCode.USAGE, "“{text}” at character {place} of the query is no number to compare with by {operator}.",
        "Write a number, such as latency>200, or compare texts with a colon."),
    "query.level": ProblemKind(_W, ExitCode.USAGE, "“{text}” at character {place} of the query is no level.",
        "Levels are {levels}; level>=warn holds for all from there on."),
    "query.time": ProblemKind(_W, ExitCode.USAGE, "“{text}” at character {place} of the query is no time.",
        "Write 15m, 2h or 7d (ago), or a date and time such as 2026-11-23T14:03."),
    "query.long": ProblemKind(_W, ExitCode.USAGE, "The query is longer than {most} characters.",
        "Look for less at once."),
    "query.deep": ProblemKind(_W, ExitCode.USAGE, "From character {place} on the query has more than {most} brackets or NOT within each other.",
        "Write it with fewer."),
    "rules.bad": ProblemKind(_W, ExitCode.USAGE, "In {path}, {where} makes no sense: {detail}.",
        "Mend it; the other rules work."),
    "layout.unreadable": ProblemKind(_E, ExitCode.FAILED, "The layout {name} cannot be read: {detail}.",
        "Mend it in a text editor, or choose another; it was left as it is."),
    "layout.newer": ProblemKind(_E, _WORKSPACE, "The layout {name} was written by a newer Murmurscope (version {found}; this one knows {known}).",
        "Install the newer program, or choose another layout; it was not touched."),
    "layout.name": ProblemKind(_E, ExitCode.USAGE, "“{name}” cannot be the name of a layout: {detail}.",
        "Choose another name."),
    "layout.gone": ProblemKind(_W, ExitCode.FAILED, "There is no layout named {name} any more.",
        "Choose another; what is on the screen can be saved again."),
    "recorder.failing": ProblemKind(_E, ExitCode.FAILED, "The recorder does not start: {detail}.",
        "Mend the cause, then start it again; nothing is recorded meanwhile."),
    "query.deadline": ProblemKind(_W, ExitCode.FAILED, "History did not answer within {seconds} s.",
        "Ask for a shorter time, or try again."),
    "query.failed": ProblemKind(_E, ExitCode.FAILED, "This could not be read because of a mistake in the program ({detail}).",
        "The log says more; try again."),
    "import.no-recording": ProblemKind(_E, ExitCode.FAILED, "{path} is not recorded traffic: {detail}.",
        "Each line has to be a JSON object as described under “import --help”; nothing was imported."),
    "import.known": ProblemKind(_E, ExitCode.FAILED, "{path} was imported already, on {time}.",
        "Once more (--again) would store all of it a second time."),
    "import.broken-off": ProblemKind(_E, ExitCode.FAILED, "The recorder stopped before it told how the import went ({detail}).",
        "Import again: what came in whole after all is refused then, as imported already."),
    "import.twice": ProblemKind(_E, ExitCode.FAILED, "{path} is the same recording as {other}.",
        "Leave one of them out, or take in both (--again); nothing was imported."),
    "import.mixed": ProblemKind(_E, ExitCode.USAGE, "{path} is recorded traffic, and {other} is a backup or a folder.",
        "Import them one after the other; nothing was imported."),
    "import.too-large": ProblemKind(_E, ExitCode.FAILED, "What was recorded needs more than the {limit} that imports may hold.",
        "Raise their limit (Data, Retention; or import_gib in settings.toml), then import again; nothing was imported."),
    "import.no-room": ProblemKind(_E, ExitCode.FAILED, "Imports may hold {limit}, and with this one there would be more.",
        "Raise their limit (Data, Retention; or import_gib in settings.toml), or let the oldest imports go (--make-room); nothing was imported."),
    "import.disk-full": ProblemKind(_E, ExitCode.FAILED, "The disk that holds {path} became full.",
        "Free some space, then import again; nothing was imported, and what had been written is removed."),
    "reread.failed": ProblemKind(_E, ExitCode.FAILED, "History could not be read again: {detail}.",
        "It stays as it was. Run murmurscope verify, then try again."),
    "reread.no-recorder": ProblemKind(_W, ExitCode.FAILED, "History cannot be read again while no recorder answers.",
        "Try again once the status bar shows that it runs; it is started by itself."),
    "reread.no-room": ProblemKind(_E, ExitCode.FAILED, "Reading history again needs {needed} free on the disk that holds {path}, for each file of it in turn.",
        "Make room on that disk, or keep less history. History stays as it was."),
    "reread.late": ProblemKind(Severity.INFO, ExitCode.FAILED, "Values that came since {time} have got their names only now: they are read again.",
        "There is nothing to do; what was guessed of them goes by itself."),
    "reread.late-failed": ProblemKind(_W, ExitCode.FAILED, "Values that came since {time} have got their names only now, and could not be read again: {detail}",
        "It is tried again by itself, each time later; recording goes on."),
    "reread.late-large": ProblemKind(_W, ExitCode.FAILED, "Values that came since {time} have got their names only now: too much history to be read again by itself.",
        "Read history again when it suits you, for example with murmurscope reread --from {time}."),
    "reread.broken-off": ProblemKind(_E, ExitCode.FAILED, "The recorder stopped before it told how reading history again went ({detail}).",
        "It is as it was, or all of it is read again. Try again once the recorder runs."),
    "import.busy": ProblemKind(_E, ExitCode.FAILED, "Another import into this workspace is under way, or its history is being read again.",
        "Wait until it has ended, or cancel it."),
    "workspace.used": ProblemKind(_E, _WORKSPACE, "{path} is not empty, and a backup comes back into an empty folder only.",
        "Name another one: --workspace DIR; nothing was touched."),
    "backup.unusable": ProblemKind(_E, ExitCode.FAILED, "{path} is no whole backup of Murmurscope: {detail}.",
        "Take another one; nothing was changed."),
    "backup.newer": ProblemKind(_E, _WORKSPACE, "{path} was written by a newer Murmurscope ({version}).",
        "Install the newer program; nothing was changed."),
    "backup.changed": ProblemKind(_E, ExitCode.FAILED, "{path} changed while it was read.", "Try again; no backup was written."),
    "file.exists": ProblemKind(_E, ExitCode.FAILED, "{path} exists already.", "Choose another name."),
    "file.full": ProblemKind(_E, ExitCode.FAILED, "There is not enough room for {path}.",
        "Free some space or choose another disk; nothing unfinished was left behind."),
    "file.unusable": ProblemKind(_E, ExitCode.FAILED, "{path} cannot be used: {detail}.", "Choose another file."),
    "files.hindered": ProblemKind(_W, ExitCode.FAILED, "No files can be written to {path} ({detail}); messages that wait in the store: {count} or more.",
        "Recording goes on; the files catch up by themselves once this is mended."),
    "files.foreign": ProblemKind(_W, ExitCode.FAILED, "{path} cannot take the files: {detail}.",
        "Empty it, or choose another folder; recording goes on."),
    "files.lost": ProblemKind(_W, ExitCode.FAILED, "Messages that left the store before they were written to {path}: {count} or more.",
        "Let the store keep more history, and mend the folder sooner."),
    "files.ended": ProblemKind(_W, ExitCode.FAILED, "The program that writes files to {path} ended: {detail}.",
        "It is being started again by itself; recording goes on."),
    "files.silent": ProblemKind(_W, ExitCode.FAILED, "Writing files to {path} has been stuck for more than {seconds} s.",
        "Check the disk, or the network, that the folder is on; recording goes on."),
    "sealing.damaged": ProblemKind(_W, ExitCode.FAILED, "{path} cannot be made smaller, as it is damaged: {detail}.",
        "It stays as it is; “verify” tells more."),
    "sealing.failed": ProblemKind(_W, ExitCode.FAILED, "Closed history could not be made smaller (segment {segment}): {detail}",
        "It is tried again by itself, each time later; recording goes on."),
    "job.died": ProblemKind(_E, ExitCode.FAILED, "The program that did this ended without a word of its own: {detail}.",
        "Try again; the log says more."),
    "crowd.agents": ProblemKind(_W, ExitCode.FAILED, "There are more than {most} agents: what further ones send is stored, but not read.",
        "A passing id may have been taken for an agent: subscribe to less, or record it in a workspace of its own."),
    "crowd.series": ProblemKind(_W, ExitCode.FAILED, "There are more than {most} series: further figures are stored with their messages only.",
        "A counter may stand in a name: mend who sends it, or record it in a workspace of its own."),
    "crowd.agent-series": ProblemKind(_W, ExitCode.FAILED, "{agent} sends more than {most} series: its further figures are stored with their messages only.",
        "A counter may stand in a name: mend who sends it."),
    "crowd.remembered": ProblemKind(_W, ExitCode.FAILED, "More than {most} topics, or 64 MiB, declare what others mean: further ones hold only until the next start.",
        "Remove the retained declarations of what is gone from the broker, or subscribe to less."),
    "series.unknown": ProblemKind(_E, ExitCode.USAGE, "{agent} has no series named {series}.",
        "Leave it out to see all of them."),
    "agent.unknown": ProblemKind(_E, ExitCode.USAGE, "There is no agent named {agent} in this workspace.",
        "Check the spelling; “export agents” lists them."),
    "time.unreadable": ProblemKind(_E, ExitCode.USAGE, "“{text}” is not a time.",
        "Write 14:03, yesterday 14:03, ISO 8601 such as 2026-11-23T14:00, or 15m, 2h, 7d for that long ago."),
    "option.unusable": ProblemKind(_E, ExitCode.USAGE, "{option} “{value}” cannot be used: {detail}.",
        "--help tells what it takes."),
    "publish.no-topic": ProblemKind(_E, ExitCode.USAGE, "The message has no topic.",
        "Write the topic it shall go to, such as agents/crawler-1/inbox/me."),
    "publish.wildcard": ProblemKind(_E, ExitCode.USAGE, "“{topic}” holds {sign}, which only subscriptions may use.",
        "Name one topic in full."),
    "publish.text": ProblemKind(_E, ExitCode.USAGE, "“{text}” holds a character that MQTT cannot carry.",
        "Take it out: neither NUL nor half a character may be in a topic or a property."),
    "publish.text-long": ProblemKind(_E, ExitCode.USAGE, "A topic or property of {size} bytes is too long; {limit} is the most.",
        "Make it shorter."),
    "publish.payload-long": ProblemKind(_E, ExitCode.USAGE, "A payload of {size} bytes is too long to publish from here; {limit} is the most.",
        "Use mosquitto_pub for it."),
    "publish.no-properties": ProblemKind(_E, ExitCode.FAILED, "{host} speaks MQTT 3.1.1 with us, which has no properties.",
        "Leave the properties empty, or connect with MQTT 5; nothing was published."),
    "publish.not-connected": ProblemKind(_E, _CONNECT, "Nothing was published: there is no connection to a broker.",
        "Publish again when it is connected."),
    "publish.refused": ProblemKind(_E, _REFUSED, "{host} refused the message: {detail}.",
        "Ask for the right to publish on this topic, naming this reason."),
    "publish.unanswered": ProblemKind(_W, _CONNECT, "{host} did not acknowledge the message within {seconds} s; it may have it or not.",
        "Look whether it arrives here before you publish it again."),
    "message.first": ProblemKind(_W, ExitCode.FAILED, "No message came before it on its topic, as far as history reaches.",
        "Choose two messages to compare them."),
    "message.gone": ProblemKind(_W, ExitCode.FAILED, "This message is not stored any more: retention has removed it.",
        "Keep more history if you need it for longer."),
    "publish.no-command": ProblemKind(_W, ExitCode.FAILED, "mosquitto_pub cannot publish this message.",
        "It speaks no WebSockets, and takes only topics that are text; publish it again from here instead."),
    "not-built": ProblemKind(_E, ExitCode.USAGE, "The command {command} does not exist yet.", "murmurscope --help lists what does."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that went wrong. `params` fill the places of its kind's sentences; `retry_at_us` (wall time) says when
    it is tried again by itself, None: not before somebody acts."""

    code: str
    params: Mapping[str, str | int | float] = field(default_factory=dict)
    retry_at_us: int | None = None

    @property
    def kind(self) -> ProblemKind:
        return PROBLEMS[self.code]

    @property
    def severity(self) -> Severity:
        return self.kind.severity

    def sentence(self) -> str:
        """Cause and way out in English, for the command line and logs."""
        return f"{fill(self.kind.sentence, self.params)} {fill(self.kind.remedy, self.params)}".strip()


class EnvironmentProblem(Exception):  # noqa: N818 - a Problem on its way up, not an error of ours
    """Carries a `Problem` to whoever can tell the user. Never wraps a mistake of our own."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem.sentence()


def trouble(code: str, /, **params: str | float) -> EnvironmentProblem:
    """Shorthand for raising: `raise trouble("broker.name", host=host)`."""
    return EnvironmentProblem(Problem(code, params))


def fill(text: str, params: Mapping[str, str | int | float]) -> str:
    """Put parameters into their places; a place without a parameter shows as `?`. Never evaluates anything."""
    return _PLACE.sub(lambda place: str(params.get(place[1], "?")), text)
