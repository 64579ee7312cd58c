"""Servers of tests on 127.0.0.1."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer


@contextmanager
def serving(server: ThreadingHTTPServer, release: threading.Event) -> Iterator[None]:
    """The server runs. At the end the event is set, which lets go of answers held back, and the server is gone."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        release.set()
        server.shutdown()
        thread.join()
        server.server_close()
