"""The program that one would write first, as a baseline: one process, paho's thread, `json.loads`, a peewee row a message,
a Qt signal a message, a table model that grows by a row each.

    python -m tests.benchmarks.naive_design --broker mqtt://127.0.0.1:1883 --database FILE

Prints `ready` once it is subscribed; ends on SIGTERM and prints one JSON line: rows, how many messages came, and how late
its event loop was (a precise 10 ms timer; the first three seconds are left out).
"""

import argparse
import json
import signal
import sys
import time
from pathlib import Path

import peewee
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication, QTableView

from models.domain.connection import parse_url
from tests.benchmarks.loop_lag import LoopLag
from tests.benchmarks.measure import spread

database = peewee.SqliteDatabase(None)


class Message(peewee.Model):
    received = peewee.FloatField(index=True)
    topic = peewee.TextField(index=True)
    payload = peewee.TextField()

    class Meta:
        database = database


class Rows(QAbstractTableModel):
    """Every message, newest last."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[float, str, str]] = []

    def rowCount(self, _parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return len(self._rows)

    def columnCount(self, _parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - as above
        return 3

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        return str(self._rows[index.row()][index.column()]) if role == Qt.ItemDataRole.DisplayRole else None

    @Slot(float, str, object)
    def add(self, received: float, topic: str, body: object) -> None:
        place = len(self._rows)
        self.beginInsertRows(QModelIndex(), place, place)
        self._rows.append((received, topic, str(body)))
        self.endInsertRows()


class Listener(QObject):
    """paho's callbacks, in paho's thread."""

    came = Signal(float, str, object)

    def __init__(self) -> None:
        super().__init__()
        self.stored = 0

    def on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        now, text = time.time(), message.payload.decode()
        body = json.loads(text)
        Message.create(received=now, topic=message.topic, payload=text)
        self.stored += 1
        self.came.emit(now, message.topic, body)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--database", required=True, type=Path)
    parser.add_argument("--qos", type=int, default=1)
    arguments = parser.parse_args()
    database.init(str(arguments.database), pragmas={"journal_mode": "wal"})  # as its manual recommends
    database.create_tables([Message])
    app = QApplication([])
    rows, view, listener, lag = Rows(), QTableView(), Listener(), LoopLag()
    view.setModel(rows)
    view.resize(1600, 900)
    view.show()
    listener.came.connect(rows.add)
    rows.rowsInserted.connect(view.scrollToBottom)
    client = Client(CallbackAPIVersion.VERSION2, client_id="naive")
    client.on_message = listener.on_message
    client.on_connect = lambda *_: client.subscribe("agents/#", arguments.qos)
    client.on_subscribe = lambda *_: print("ready", flush=True)
    connection, _ = parse_url(arguments.broker)
    client.connect(connection.host, connection.port)
    client.loop_start()
    signal.signal(signal.SIGTERM, lambda *_: app.quit())
    QTimer.singleShot(3_000, lag.start)
    app.exec()
    client.disconnect()
    client.loop_stop()
    print(json.dumps({"stored": listener.stored, "shown": rows.rowCount(), "lag_ms": spread(lag.late_s)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
