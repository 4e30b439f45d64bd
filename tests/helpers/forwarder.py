"""Hands one TCP connection on, so that a server seems to be at another address of this computer."""

import socket
import threading


class Forwarder:
    """Use as a context manager; gives the port on `host` that leads to `port` of 127.0.0.1."""

    def __init__(self, host: str, port: int) -> None:
        self._target, self._listener = port, socket.create_server((host, 0))
        self._thread = threading.Thread(target=self._serve, name="forwarder")

    def _serve(self) -> None:
        near, _ = self._listener.accept()
        with near, socket.create_connection(("127.0.0.1", self._target)) as far:
            back = threading.Thread(target=self._copy, args=(far, near), name="forwarder-back")
            back.start()
            self._copy(near, far)
            back.join()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # one side hung up

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._thread.join(timeout=20)
        self._listener.close()
