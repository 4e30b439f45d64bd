"""The fields of a connection, from an address in one piece down to topic filters."""

import ipaddress
from dataclasses import replace

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QSpinBox, QToolButton, QWidget

from models.domain.connection import DEFAULT_PORTS, Connection, Secret, parse_url
from models.domain.problems import EnvironmentProblem, Problem
from widgets.connection.advanced_fields import AdvancedFields
from widgets.connection.file_field import FileField
from widgets.connection.keyring_field import KeyringField


class ConnectionForm(QWidget):
    """`connection()` and `secret()` are what the fields say now. An address pasted into the host (`mqtts://me@host:8883`)
    is spread over the fields. `changed` follows every edit."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scheme = QComboBox(self)
        for text, scheme in (
            (self.tr("mqtt:// (plain)"), "mqtt"),
            (self.tr("mqtts:// (TLS)"), "mqtts"),
            (self.tr("ws:// (WebSocket)"), "ws"),
            (self.tr("wss:// (WebSocket, TLS)"), "wss"),
        ):
            self.scheme.addItem(text, scheme)
        self.host = QLineEdit(self, placeholderText=self.tr("host or whole address"))
        self.port = QSpinBox(self, minimum=1, maximum=65_535)
        self.port.lineEdit().setTextMargins(5, 0, 0, 0)
        self.path = QLineEdit(self, placeholderText="/mqtt")
        self.user = QLineEdit(self)
        self.password = QLineEdit(self, echoMode=QLineEdit.EchoMode.Password)
        self.keyring = KeyringField(self)
        self.ca_file = FileField(self.tr("CA file"), self)
        self.certificate_file = FileField(self.tr("Certificate file"), self)
        self.key_file = FileField(self.tr("Key file"), self)
        self.advanced = AdvancedFields(self)
        self._more = QToolButton(self)
        self._more.setText(self.tr("&Advanced"))
        self._more.setCheckable(True)
        self._more.setProperty("role", "button")
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._lay_out()
        self._last_scheme = "mqtt"
        self._host_length = 0
        self.show_connection(Connection())
        self._connect()

    def _lay_out(self) -> None:
        address = QWidget(self)
        line = QHBoxLayout(address)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.scheme)
        line.addWidget(self.host, 1)
        line.addWidget(self.port)
        label = QLabel(self.tr("&Broker"), self)
        label.setBuddy(self.host)
        self._form.addRow(label, address)
        rows: tuple[tuple[str, QWidget], ...] = (
            (self.tr("Pat&h"), self.path),
            (self.tr("&User"), self.user),
            (self.tr("Pass&word"), self.password),
            ("", self.keyring),
            (self.tr("&CA file"), self.ca_file),
            (self.tr("C&ertificate"), self.certificate_file),
            (self.tr("Ke&y"), self.key_file),
            ("", self._more),
        )
        for text, field in rows:
            self._form.addRow(text, field)
        self._form.addRow(self.advanced)
        for field, name in (
            (self.scheme, self.tr("Scheme")),
            (self.host, self.tr("Broker")),
            (self.port, self.tr("Port")),
            (self.path, self.tr("Path")),
            (self.user, self.tr("User")),
            (self.password, self.tr("Password")),
        ):
            field.setAccessibleName(name)
        self.ca_file.edit.setPlaceholderText(self.tr("the authorities this computer trusts"))
        self.certificate_file.edit.setPlaceholderText(self.tr("only if the broker demands one"))
        self.advanced.hide()

    def _connect(self) -> None:
        self.scheme.currentIndexChanged.connect(self._scheme_changed)
        self.host.textChanged.connect(self._host_changed)
        self.host.editingFinished.connect(self._spread_address)
        self._more.toggled.connect(self.advanced.setVisible)
        for edit in (self.path, self.user, self.password):
            edit.textChanged.connect(self.changed)
        self.changed.connect(self._show_keyring)
        self.port.valueChanged.connect(self.changed)
        for part in (self.ca_file, self.certificate_file, self.key_file, self.advanced):
            part.changed.connect(self.changed)

    # ------------------------------------------------------------ in and out

    def show_connection(self, connection: Connection) -> None:
        """Fill the fields. The password stays empty, also where a keyring has it."""
        self._show_address(connection)
        self.ca_file.set_path(connection.ca_file)
        self.certificate_file.set_path(connection.certificate_file)
        self.key_file.set_path(connection.key_file)
        self.advanced.show_connection(connection)

    def connection(self, *, spread: bool = True) -> Connection:
        """What the fields say; an address in the host is spread over them first. Raises `EnvironmentProblem` "broker.url"
        where the host is none."""
        if spread:
            self._spread_address()
        host = self.host.text().strip()
        bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
        scheme = str(self.scheme.currentData())
        path = self.path.text().strip()
        slashed = path if not path or path.startswith("/") else f"/{path}"
        plain, secret = parse_url(
            f"{scheme}://{bracketed}:{self.port.value()}{slashed if scheme.startswith('ws') else ''}"
        )
        if secret is not None or plain.user or plain.port != self.port.value():
            raise EnvironmentProblem(Problem("broker.url", {"url": host, "detail": "it is not the name of a computer"}))
        tls = plain.tls
        return self.advanced.put_into(
            replace(
                plain,
                user=self.user.text(),
                ca_file=self.ca_file.path() if tls else "",
                certificate_file=self.certificate_file.path() if tls else "",
                key_file=self.key_file.path() if tls else "",
            )
        )

    def secret(self) -> Secret | None:
        """The password, if one was typed."""
        return Secret(self.password.text()) if self.password.text() else None

    def exposes_password(self) -> bool:
        """Would the password travel readable over a network?"""
        plain = str(self.scheme.currentData()) in ("mqtt", "ws")
        return plain and bool(self.password.text()) and not is_loopback(self.host.text().strip())

    def show_keyring(self, holds: str) -> None:
        """There is a keyring; `holds`: address of the broker whose password it has, if it was asked for one."""
        self.keyring.show_found(holds)
        self._show_keyring()

    # ------------------------------------------------------------ reactions

    @Slot()
    def _show_keyring(self) -> None:
        try:
            url = self.connection(spread=False).url
        except EnvironmentProblem:
            url = ""
        self.keyring.show_for(url, named=bool(self.user.text()))
        self.password.setPlaceholderText(self.tr("as the keyring has it") if self.keyring.holds(url) else "")

    @Slot()
    def _scheme_changed(self) -> None:
        scheme = str(self.scheme.currentData())
        if self.port.value() == DEFAULT_PORTS[self._last_scheme]:
            self.port.setValue(DEFAULT_PORTS[scheme])
        self._last_scheme = scheme
        self._show_what_fits()
        self.changed.emit()

    @Slot()
    def _host_changed(self) -> None:
        grown, self._host_length = len(self.host.text()) - self._host_length, len(self.host.text())
        if "://" in self.host.text() and grown > 1:  # pasted; what is typed is spread when the field is left
            self._spread_address()
        self.changed.emit()

    @Slot()
    def _spread_address(self) -> None:
        text = self.host.text().strip()
        if "://" not in text and "@" not in text and not _has_port(text):
            return
        try:
            connection, secret = parse_url(text if "://" in text else f"{self.scheme.currentData()}://{text}")
        except EnvironmentProblem:
            return  # left as it is; saving and testing say what is wrong
        self._show_address(connection)
        if secret is not None:
            self.password.setText(secret.value)

    def _show_address(self, connection: Connection) -> None:
        self._last_scheme = connection.scheme
        self.scheme.setCurrentIndex(self.scheme.findData(connection.scheme))
        self.host.setText(connection.host)
        self.port.setValue(connection.port)
        self.path.setText(connection.path)
        if connection.user:
            self.user.setText(connection.user)
        self._show_what_fits()

    def _show_what_fits(self) -> None:
        scheme = str(self.scheme.currentData())
        self._form.setRowVisible(self.path, scheme in ("ws", "wss"))
        for field in (self.ca_file, self.certificate_file, self.key_file):
            self._form.setRowVisible(field, scheme in ("mqtts", "wss"))


def _has_port(text: str) -> bool:
    """Is this `host:1883` or `[::1]:1883`, and not an IPv6 address alone?"""
    host, colon, port = text.rpartition(":")
    return bool(colon) and port.isdigit() and (":" not in host or host.endswith("]"))


def is_loopback(host: str) -> bool:
    """Does this name mean this computer, whatever the network?"""
    bare = host.strip("[]").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False
