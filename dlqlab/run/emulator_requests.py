"""Requests to what an emulator answers about itself, on the loopback."""

import http.client

from dlqlab.emulator.core.loopback import LOOPBACK


def request(
    port: int, path: str, method: str = "GET", body: str | None = None, *, deadline_s: float = 10.0
) -> tuple[int, bytes]:
    """Status and body of the answer; ``body`` is JSON.

    Raises:
        OSError, http.client.HTTPException: nobody answers within the deadline, or not by HTTP.
    """
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=deadline_s)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
