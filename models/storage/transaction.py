"""One write transaction: all of it or nothing."""

import contextlib
from collections.abc import Iterator

import apsw


@contextlib.contextmanager
def transaction(connection: apsw.Connection) -> Iterator[None]:
    """Commits at the end; any exception rolls back and goes on. A failed COMMIT leaves nothing behind either."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some errors have rolled back already
            connection.execute("ROLLBACK")
        raise
