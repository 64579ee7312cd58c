"""The key of an API that asks for one: a stage may (API_KEY_REQUIRED); the local one does not."""

from collections.abc import Mapping

API_KEY_VARIABLE = "DLQLAB_API_KEY"
"""Variable of the shell that holds the key; it is sent to the API and written nowhere."""


def api_headers(environ: Mapping[str, str]) -> dict[str, str]:
    """Headers of a request to the API; API Gateway takes the key from ``x-api-key``."""
    key = environ.get(API_KEY_VARIABLE)
    return {"Content-Type": "application/json", "Accept": "application/json"} | ({"x-api-key": key} if key else {})
