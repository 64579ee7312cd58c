"""The signature is botocore's, to the letter."""

import datetime as dt
import time
from unittest.mock import patch

import botocore.credentials
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from chalicelib.signing import Credentials, Signer
from hypothesis import example, given
from hypothesis import strategies as st

NAMES = ("content-type", "x-amz-target", "x-amz", "x-amz-zone", "a", "zz-top")
BLANKS = st.text(" \t", min_size=1, max_size=3)
WORDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=12)
VALUES = st.lists(WORDS | BLANKS, max_size=6).map("".join)
LABELS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=15)
SEGMENTS = st.text("abcXYZ019-_~", min_size=1, max_size=8)
HOSTS = st.one_of(
    LABELS, st.builds("{}.{}".format, LABELS, LABELS), st.builds("{}:{}".format, LABELS, st.integers(1, 65535))
)


MOMENTS = st.integers(0, 4_000_000_000_000_000).map(lambda micros: micros / 1_000_000)
"""In whole microseconds: to those a datetime rounds, which may be up to the next second."""


def botocores(
    credentials: Credentials, *, service: str, region: str, headers: dict[str, str], body: bytes, path: str, now: float
) -> dict[str, str]:
    """What botocore adds to the same request at the same time; names in lower case."""
    own = botocore.credentials.Credentials(credentials.access_key, credentials.secret_key, credentials.session_token)
    request = AWSRequest("POST", f"https://{headers['host']}{path}", headers=headers, data=body)
    moment = dt.datetime.fromtimestamp(now, dt.UTC)
    with patch("botocore.auth.get_current_datetime", return_value=moment):
        SigV4Auth(own, service, region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items() if name not in headers}


@given(
    headers=st.builds(
        lambda host, values: {"host": host, **values},
        HOSTS,
        st.dictionaries(st.sampled_from(NAMES), VALUES),
    ),
    body=st.binary(max_size=200),
    path=st.lists(SEGMENTS, max_size=3).map(lambda segments: "/" + "/".join(segments)),
    region=LABELS,
    service=LABELS,
    keys=st.tuples(WORDS, WORDS, st.none() | st.just("") | WORDS),
    now=MOMENTS,
)
@example(
    headers={"host": "127.0.0.1:4566", "content-type": " two  blanks   and \t a tab "},
    body=b"",
    path="/",
    region="us-east-1",
    service="sqs",
    keys=("AKID", "secret", "token"),
    now=1_700_000_000.999_999,
)
def test_signature_is_botocores(
    headers: dict[str, str],
    body: bytes,
    path: str,
    region: str,
    service: str,
    keys: tuple[str, str, str | None],
    now: float,
) -> None:
    """Date, token and authorization are those that botocore's signer adds to the same request."""
    access_key, secret_key, session_token = keys
    credentials = Credentials(access_key=access_key, secret_key=secret_key, session_token=session_token)
    expected = botocores(credentials, service=service, region=region, headers=headers, body=body, path=path, now=now)

    assert expected == Signer(credentials, service=service, region=region).sign(headers, body, path=path, now=now)


@given(times=st.lists(st.floats(0, 4_000_000_000), min_size=2, max_size=5))
def test_key_is_the_days(times: list[float]) -> None:
    """A signer in use over days, or whose clock is set back, signs as a new one would."""
    credentials = Credentials(access_key="AKID", secret_key="secret")

    def signed(signer: Signer, now: float) -> dict[str, str]:
        return signer.sign({"host": "h"}, b"{}", path="/", now=now)

    kept = Signer(credentials, service="sqs", region="us-east-1")

    assert [signed(Signer(credentials, service="sqs", region="us-east-1"), now) for now in times] == [
        signed(kept, now) for now in times
    ]


def test_key_is_made_once_a_day() -> None:
    """Within a day the key is kept; with the next day of UTC it is another one."""
    signer = Signer(Credentials(access_key="AKID", secret_key="secret"), service="sqs", region="us-east-1")
    midnight = 19_700 * 86_400.0
    keys: list[tuple[str, bytes]] = []
    for now in (midnight, midnight + 86_399.9, midnight + 86_400):
        signer.sign({"host": "h"}, b"", path="/", now=now)
        keys.append(signer._key)
    first, last, next_day = keys

    assert first is last
    assert [time.strftime("%Y%m%d", time.gmtime(midnight + day * 86_400)) for day in (0, 1)] == [first[0], next_day[0]]
    assert first[1] != next_day[1]
