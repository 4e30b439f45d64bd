"""What agents without a convention tell each other by name: an object with `from`, `to` and a text.

The topic, or what is known already, has to say that one of the two is an agent: letters and short messages have senders, too.
Whoever asks something (`type` question) and gives an id waits for a reply that repeats it; all else is said and done.
"""

from typing import Any

from models.domain.messages import Kind, RawMessage
from models.domain.records import Interaction, Outcome
from mqtt.reading.contract_work import as_text, outcome_of, own_time
from mqtt.reading.exchange import Request, Sent
from mqtt.reading.generic_topics import levels_of, names_agent
from mqtt.reading.plan import Sink

_TEXTS = frozenset("body content text message msg subject prompt question answer".split())
_EVERYBODY = frozenset(("broadcast", "all", "everyone", "everybody", "*"))
_QUESTIONS = frozenset(("request", "query", "question", "ask", "call", "command"))
_IDS = ("id", "message_id", "messageId", "msg_id")
_REPLY_TO = ("reply_to", "in_reply_to", "inReplyTo", "replyTo")
_WORD = "said"


def take_message(row: int, message: RawMessage, body: dict[str, Any], sink: Sink) -> bool:
    """Take it as one interaction; False where it is no such message."""
    sender_name, receiver_name = body["from"], body["to"]
    if _TEXTS.isdisjoint(body) or not _is_name(sender_name) or not _is_name(receiver_name):
        return False
    levels = levels_of(message.topic)
    known = sink.names.known_agent(receiver_name)
    if not (known or sink.names.known_agent(sender_name) or sender_name in levels or receiver_name in levels):
        return False
    sender, receiver = sink.agent(sender_name), known
    if not known and receiver_name in levels and receiver_name.casefold() not in _EVERYBODY:
        receiver = sink.agent(receiver_name)
    sink.batch.agent[row], sink.batch.kind[row] = sender, Kind.MESSAGE
    sent_us = own_time(body, message)
    sent = Sent(sent_us, message.received_us, message.origin)
    replied = next((body[key] for key in _REPLY_TO if isinstance(body.get(key), str)), "")
    done = sink.exchange.answer((_WORD, replied), row, sent, outcome_of(body), sender) if replied else None
    if done is not None:
        sink.batch.interactions.append(done)
        return True
    kind = as_text(body.get("type")) or "message"
    id_ = next((as_text(body[key]) for key in _IDS if body.get(key) is not None), None) or ""
    if id_ and kind.casefold() in _QUESTIONS:
        sink.exchange.ask(Request(sent, sender, receiver, kind, id_, ((_WORD, id_),), receiver_name=receiver_name))
    else:
        sink.batch.interactions.append(Interaction(row, sent_us, sender, receiver, kind, id_, None, Outcome.OK))
    return True


def _is_name(value: object) -> bool:
    return isinstance(value, str) and names_agent(value)
