"""AWS Signature Version 4 for the calls that clients makes: POST, no query, the body in memory.

Rules: "Create a signed AWS API request" (AWS IAM user guide). Held to botocore's own signer by a test.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What Lambda gives a function of its role; without a session token they are a user's."""

    access_key: str
    secret_key: str
    session_token: str | None = None


class Signer:
    """Signs the calls of one service in one region. Keeps the key of the day: making it is most of the work."""

    def __init__(self, credentials: Credentials, *, service: str, region: str) -> None:
        self._credentials = credentials
        self._service = service
        self._region = region
        self._key: tuple[str, bytes] = ("", b"")

    def sign(self, headers: Mapping[str, str], body: bytes, *, path: str, now: float) -> dict[str, str]:
        """The headers to add to a request.

        Args:
            headers: what is to be signed, names in lower case; ``host`` must be there.
            body: as it will be sent.
            path: of the URL, as it will be sent.
            now: seconds since the epoch; AWS takes a signature for some minutes.
        """
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        added = {"x-amz-date": stamp}
        if self._credentials.session_token:
            added["x-amz-security-token"] = self._credentials.session_token
        signed = sorted({**headers, **added}.items())
        names = ";".join(name for name, _ in signed)
        lines = "".join(f"{name}:{' '.join(value.split())}\n" for name, value in signed)
        request = f"POST\n{path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{stamp[:8]}/{self._region}/{self._service}/aws4_request"
        text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = _hmac(self._key_of(stamp[:8]), text).hex()
        credential = f"{self._credentials.access_key}/{scope}"
        added["authorization"] = f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
        return added

    def _key_of(self, day: str) -> bytes:
        if self._key[0] != day:
            key = f"AWS4{self._credentials.secret_key}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = _hmac(key, part)
            self._key = (day, key)
        return self._key[1]


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
