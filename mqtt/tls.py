"""TLS as we use it: always verified, chain and host name, 1.2 or newer. There is no way around it."""

import ssl

from models.domain.connection import Connection
from models.domain.problems import trouble
from mqtt.refusals import reason_text


def tls_context(connection: Connection) -> ssl.SSLContext:
    """What to trust and whom to be. With a CA file only that authority is trusted, without it this computer's list.

    Raises `EnvironmentProblem` "broker.tls-file".
    """
    try:
        context = ssl.create_default_context(cafile=connection.ca_file or None)
    except OSError as error:
        raise trouble("broker.tls-file", file=connection.ca_file, detail=reason_text(error)) from error
    context.sslsocket_class = _ClosingSocket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if connection.certificate_file:
        _load_own_certificate(context, connection)
    return context


class _ClosingSocket(ssl.SSLSocket):
    """Closes itself when the handshake fails; whoever asked for it has no hold of it then."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _load_own_certificate(context: ssl.SSLContext, connection: Connection) -> None:
    key_file = connection.key_file or connection.certificate_file
    for file in (connection.certificate_file, key_file):
        try:
            with open(file, "rb"):  # noqa: PTH123 - only to learn which of the two cannot be read
                pass
        except OSError as error:
            raise trouble("broker.tls-file", file=file, detail=reason_text(error)) from error
    try:
        # without a password function an encrypted key would ask on the terminal, and wait there for ever
        context.load_cert_chain(connection.certificate_file, key_file, password=lambda: "")
    except OSError as error:
        raise trouble("broker.tls-file", file=key_file, detail=reason_text(error)) from error
