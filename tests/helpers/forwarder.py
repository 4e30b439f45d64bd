"""Hands TCP connections on: so that a server seems to be at another address of this computer, or that a link swallows all."""

import socket
import threading
from collections.abc import Callable
from typing import Self


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


class Gate:
    """Hands any number of connections on; `shut` makes it swallow whatever either side says, while all connections stay open:
    a half-open link. Use as a context manager; `port` of 127.0.0.1 leads to the target's."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._shut = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def shut(self) -> None:
        """From now on nothing passes; new connections are accepted and go nowhere."""
        self._shut.set()

    def open(self) -> None:
        """Connections made from now on pass; those that lost something stay broken, and hear nothing more."""
        for one in self._sockets:
            _hang_up(one)
        self._shut.clear()

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._listener, *self._sockets):
            _hang_up(one)
        for thread in self._threads:
            thread.join(timeout=20)

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        self._threads.append(threading.Thread(target=target, args=args, name="gate", daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._sockets += [near, far]
            self._spawn(self._copy, near, far)
            self._spawn(self._copy, far, near)

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        lossy = False
        try:
            while data := source.recv(65_536):
                lossy = lossy or self._shut.is_set()
                if not lossy:
                    sink.sendall(data)
        except OSError:
            pass  # one side hung up
        if not lossy:
            _hang_up(sink)


def _hang_up(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it hung up first
    one.close()
