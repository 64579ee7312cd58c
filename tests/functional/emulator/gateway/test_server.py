"""The gateway's server reads requests and writes answers as HTTP/1.1 wants them, over real connections."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from dlqlab.emulator.gateway import http_requests, server, shortcut

DATE = b"Date: Sat, 31 Jan 2026 10:00:00 GMT\r\n"
LIMIT_S = 10.0
REAL_DATE = server._date

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class Application:
    """Stands for LocalStack's gateway: remembers the requests, and answers what it is told to."""

    def __init__(self) -> None:
        self.environs: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.status = "200 OK"
        self.headers: list[tuple[str, str]] = [("Content-Type", "text/plain")]
        self.parts: Iterable[bytes] = [b"o", b"k"]
        self.error: Exception | None = None

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        self.environs.append(environ)
        self.bodies.append(environ["wsgi.input"].read())
        start_response(self.status, self.headers)
        if self.error:
            raise self.error
        return self.parts


class Peer:
    """The other end of a served connection."""

    def __init__(self, application: Application) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.connection = socket.create_connection(listener.getsockname(), timeout=LIMIT_S)
            self._served, address = listener.accept()
        self._application = application
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = self.connection.getsockname()
        self.server_address = self.connection.getpeername()
        self.errors: list[Exception] = []
        self._thread = threading.Thread(target=self._serve, args=(address,), daemon=True)
        self._thread.start()

    def _serve(self, address: tuple[str, int]) -> None:
        try:
            server._serve(self._application, self._served, address)
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            self.errors.append(error)

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def receive(self, size: int) -> bytes:
        """So many bytes."""
        data = b""
        while len(data) < size and (more := self.connection.recv(size - len(data))):
            data += more
        return data

    def rest(self) -> bytes:
        """Everything until the server closes the connection."""
        data = b""
        while more := self.connection.recv(65536):
            data += more
        return data

    def answers(self) -> bytes:
        """Everything the server has to say to what was sent, when nothing more comes."""
        self.connection.shutdown(socket.SHUT_WR)
        return self.rest()

    def close(self) -> None:
        """End the connection, and wait until the server has."""
        self.connection.close()
        self._thread.join(LIMIT_S)
        assert not self._thread.is_alive()


Connect = Callable[[], Peer]


@pytest.fixture(autouse=True)
def _at_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ten o'clock, so that answers can be compared."""
    monkeypatch.setattr(server, "_date", lambda _now_s: "Sat, 31 Jan 2026 10:00:00 GMT")


@pytest.fixture
def application() -> Application:
    """What is served."""
    return Application()


@pytest.fixture
def connect(application: Application) -> Iterator[Connect]:
    """Opens connections, which end with the test."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Peer(application)))


@pytest.fixture
def peer(connect: Connect) -> Peer:
    """One connection."""
    return connect()


def _ok(body: bytes = b"ok", *, connection: bytes = b"keep-alive") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n%sConnection: %s\r\n\r\n%s" % (
        len(body),
        DATE,
        connection,
        body,
    )


def _refused(answer: bytes) -> bool:
    """Whether this is status 400 with a reason, and the end of the connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return (
        head.startswith(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain")
        and head.endswith(DATE + b"Connection: close")
        and body.startswith(b"Refused: ")
    )


POST = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_request_is_answered(peer: Peer, application: Application) -> None:
    """A request gets the application's answer, which got the request's body."""
    peer.send(POST)

    assert _ok() == peer.answers()
    assert [b"hello"] == application.bodies
    assert ["POST"] == [environ["REQUEST_METHOD"] for environ in application.environs]


@pytest.mark.parametrize("request_", [POST, CHUNKED + b"2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nA: b\r\n\r\n"])
def test_request_may_come_byte_by_byte(peer: Peer, application: Application, request_: bytes) -> None:
    """How a request is cut into packets makes no difference."""
    for at in range(len(request_)):
        peer.send(request_[at : at + 1])

    assert _ok() == peer.answers()
    assert [b"hello"] == application.bodies


def test_connection_stays_for_further_requests(peer: Peer, application: Application) -> None:
    """A second request over the same connection is answered as the first is."""
    peer.send(POST)
    first = peer.receive(len(_ok()))
    peer.send(POST.replace(b"hello", b"world"))

    assert (_ok(), _ok()) == (first, peer.receive(len(_ok())))
    assert [b"hello", b"world"] == application.bodies


def test_requests_sent_ahead_are_answered_in_order(peer: Peer, application: Application) -> None:
    """Requests that are sent before the first is answered get their answers one after the other."""
    application.parts = iter([b"first"])
    peer.send(POST + CHUNKED + b"5\r\nworld\r\n0\r\n\r\n" + b"GET /b HTTP/1.1\r\n\r\n")

    assert _ok(b"first") + _ok(b"") + _ok(b"") == peer.answers()
    assert [b"hello", b"world", b""] == application.bodies
    assert ["/a", "/a", "/b"] == [environ["PATH_INFO"] for environ in application.environs]


def test_blank_line_before_a_request_is_skipped(peer: Peer, application: Application) -> None:
    """Old clients send a line end after a body, which is not part of the next request."""
    peer.send(POST + b"\r\n" + POST)

    assert _ok() + _ok() == peer.answers()
    assert [b"hello", b"hello"] == application.bodies


def test_large_body_arrives_whole(peer: Peer, application: Application) -> None:
    """A body of many packets is what was sent, and so is an answer."""
    body = bytes(range(256)) * 4096
    application.parts = [body]
    sending = threading.Thread(
        target=peer.send, args=(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body),), daemon=True
    )
    sending.start()

    assert _ok(body) == peer.receive(len(_ok(body)))
    assert [body] == application.bodies


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"hello"),
        (b"5;name=value\r\nhello\r\n0;last\r\n\r\n", b"hello"),
        (b"5\r\nhello\r\n0\r\nChecksum: abc\r\nOther: x\r\n\r\n", b"hello"),
        (b"0a\r\n0123456789\r\n00\r\n\r\n", b"0123456789"),
        (b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", b"\r\n0\r\n\r\n"),
        (b"0\r\n\r\n", b""),
    ],
)
def test_chunked_body_is_put_together(peer: Peer, application: Application, chunks: bytes, expected: bytes) -> None:
    """The application gets a chunked body whole, with its length, without extensions and trailers."""
    peer.send(CHUNKED + chunks)

    assert _ok() == peer.answers()
    assert [expected] == application.bodies
    assert str(len(expected)) == application.environs[0]["CONTENT_LENGTH"]
    assert application.environs[0]["wsgi.input_terminated"] is True


def test_client_that_asks_before_it_sends_its_body_is_told_to_go_on(peer: Peer, application: Application) -> None:
    """``Expect: 100-continue`` is granted before the body comes."""
    go_on = b"HTTP/1.1 100 Continue\r\n\r\n"
    peer.send(b"PUT /a HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n")

    assert go_on == peer.receive(len(go_on))
    assert [] == application.bodies
    peer.send(b"hello")
    assert _ok() == peer.answers()
    assert [b"hello"] == application.bodies


def test_head_has_no_body_but_its_length(peer: Peer) -> None:
    """HEAD gets the headers that GET would get, and no body."""
    peer.send(b"HEAD /a HTTP/1.1\r\n\r\nGET /a HTTP/1.1\r\n\r\n")

    assert _ok().removesuffix(b"ok") + _ok() == peer.answers()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /a HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /a HTTP/1.1\r\ncOnNeCtIoN:   Close  \r\n\r\n",
        b"GET /a HTTP/1.0\r\n\r\n",
    ],
)
def test_connection_ends_where_the_client_wants_no_other_request(peer: Peer, head: bytes) -> None:
    """After ``Connection: close`` and after HTTP/1.0 the server says that it closes, and closes."""
    peer.send(head)

    assert _ok(connection=b"close") == peer.rest()


def test_headers_reach_the_application(peer: Peer, application: Application) -> None:
    """Headers are there under WSGI's names, two of them without its prefix, and as they came."""
    peer.send(
        b"POST /a HTTP/1.1\r\nHost: h:1\r\nX-Amz-Target: A.B\r\nx_odd:1:2\r\nCONTENT-type: text/x \r\n"
        b"content-length: 02\r\nX-Latin: \xe9\r\nX-Empty:\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\nhi"
    )
    assert _ok() == peer.answers()
    environ = application.environs[0]

    assert {
        "HTTP_HOST": "h:1",
        "HTTP_X_AMZ_TARGET": "A.B",
        "HTTP_X_ODD": "1:2",
        "HTTP_X_LATIN": "é",
        "HTTP_X_EMPTY": "",
        "HTTP_X_TWICE": "2",
    } == {name: value for name, value in environ.items() if name.startswith("HTTP_")}
    assert ("text/x", "2") == (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"])
    assert [
        (b"Host", b"h:1"),
        (b"X-Amz-Target", b"A.B"),
        (b"x_odd", b"1:2"),
        (b"CONTENT-type", b"text/x"),
        (b"content-length", b"02"),
        (b"X-Latin", b"\xe9"),
        (b"X-Empty", b""),
        (b"X-Twice", b"1"),
        (b"X-Twice", b"2"),
    ] == environ["rolo.headers"]


def test_application_knows_both_ends(peer: Peer, application: Application) -> None:
    """The application is told the addresses of server and client, and how it is served."""
    peer.send(b"GET /a HTTP/1.1\r\n\r\n")
    peer.answers()
    environ = application.environs[0]

    assert peer.server_address == (environ["SERVER_NAME"], int(environ["SERVER_PORT"]))
    assert peer.address == (environ["REMOTE_ADDR"], int(environ["REMOTE_PORT"]))
    assert ("HTTP/1.1", "http", "") == (
        environ["SERVER_PROTOCOL"],
        environ["wsgi.url_scheme"],
        environ["SCRIPT_NAME"],
    )
    assert "0" == environ["CONTENT_LENGTH"]
    assert (True, False) == (environ["wsgi.multithread"], environ["wsgi.multiprocess"])


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/", "/", ""),
        (b"/a/b?c=d&e", "/a/b", "c=d&e"),
        (b"/a?b?c", "/a", "b?c"),
        (b"/a%20b%2Fc?d=%20", "/a b/c", "d=%20"),
        (b"/%C3%A9", "/\xc3\xa9", ""),
        (b"http://h:1/a/b?c=d", "/a/b", "c=d"),
        (b"http://h:1", "/", ""),
        (b"http://h/?u=http://x/y", "/", "u=http://x/y"),
    ],
)
def test_target_is_path_and_query(peer: Peer, application: Application, target: bytes, path: str, query: str) -> None:
    """The path is decoded and the query is not, with a proxy's absolute form or without; the raw target is there."""
    peer.send(b"GET %s HTTP/1.1\r\n\r\n" % target)
    assert _ok() == peer.answers()
    environ = application.environs[0]

    assert (path, query) == (environ["PATH_INFO"], environ["QUERY_STRING"])
    assert (target.decode(), target.decode()) == (environ["RAW_URI"], environ["REQUEST_URI"])


def test_two_hundred_headers_are_accepted(peer: Peer, application: Application) -> None:
    """As many headers as the limit are served."""
    peer.send(b"GET /a HTTP/1.1\r\n" + b"".join(b"X-%d: v\r\n" % number for number in range(200)) + b"\r\n")

    assert _ok() == peer.answers()
    assert len(application.environs[0]["rolo.headers"]) == 200


REFUSED = {
    "no version": b"GET /\r\n\r\n",
    "no target": b"GET HTTP/1.1\r\n\r\n",
    "too many parts": b"GET / b HTTP/1.1\r\n\r\n",
    "other protocol": b"GET / HTTP/2\r\n\r\n",
    "no request line": b"\r\n\r\n",
    "TLS without an end": b"\x16\x03\x01\x02\x00\x01",
    "no text": b"\x00",
    "no ASCII": "é".encode(),
    "length of very many digits": b"POST / HTTP/1.1\r\nContent-Length: %s\r\n\r\n" % (b"1" * 5000),
    "header without colon": b"GET / HTTP/1.1\r\nHost\r\n\r\n",
    "over 200 headers": b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: v\r\n" % number for number in range(201)) + b"\r\n",
    "head over the limit": b"GET / HTTP/1.1\r\nX: ".ljust(http_requests.HEAD_LIMIT + 1, b"x"),
    "negative length": b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "length that is not a number": b"POST / HTTP/1.1\r\nContent-Length: five\r\n\r\n",
    "length that is not a whole number": b"POST / HTTP/1.1\r\nContent-Length: 1.5\r\n\r\n",
    "length that is empty": b"POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
    "two lengths in one": b"POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n",
    "chunk size that is not a number": CHUNKED + b"five\r\n",
    "empty chunk size": CHUNKED + b"\r\n",
    "negative chunk size": CHUNKED + b"-1\r\n",
    "chunk size line over the limit": CHUNKED + b"5;".ljust(http_requests.HEAD_LIMIT + 1, b"x"),
    "chunk longer than it says": CHUNKED + b"3\r\nhello\r\n",
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
def test_bad_request_is_refused(peer: Peer, application: Application, request_: bytes) -> None:
    """What is not a proper request gets status 400 and the end of the connection, and reaches nobody."""
    peer.send(request_)

    assert _refused(peer.rest())
    assert [] == application.environs
    assert [] == peer.errors


ENDED = {
    "in the head": b"GET / HTTP/1.1\r\nHost: h\r\n",
    "in the body": b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhell",
    "before the body": b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
    "before a chunk": CHUNKED,
    "in a chunk's size": CHUNKED + b"5",
    "in a chunk": CHUNKED + b"5\r\nhell",
    "after a chunk": CHUNKED + b"5\r\nhello",
    "before the last chunk": CHUNKED + b"5\r\nhello\r\n",
    "before the trailers' end": CHUNKED + b"5\r\nhello\r\n0\r\nA: b\r\n",
}


@pytest.mark.parametrize("request_", ENDED.values(), ids=ENDED)
def test_request_that_ends_early_is_refused(peer: Peer, application: Application, request_: bytes) -> None:
    """A request of which the rest never comes gets status 400, and reaches nobody."""
    peer.send(request_)

    assert _refused(peer.answers())
    assert [] == application.environs
    assert [] == peer.errors


LAMBDA = b"/2015-03-31/functions"
TOO_LARGE = {
    "CreateFunction": (b"POST %s/" % LAMBDA, b"smaller than 70167211 bytes for the CreateFunction operation"),
    "UpdateFunctionCode": (
        b"PUT %s/f/code" % LAMBDA,
        b"smaller than 70167211 bytes for the UpdateFunctionCode operation",
    ),
    "Invoke": (
        b"POST %s/f/invocations?Qualifier=1" % LAMBDA,
        b"smaller than 6291456 bytes for the InvokeFunction operation",
    ),
    "PublishLayerVersion": (
        b"POST /2018-10-31/layers/l/versions",
        b"smaller than 70167211 bytes for the PublishLayerVersion operation",
    ),
    "another API": (b"POST /", b"takes no request of this size"),
}


@pytest.mark.parametrize(("line", "text"), TOO_LARGE.values(), ids=TOO_LARGE)
@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_limit_gets_the_error_of_the_api(
    peer: Peer, application: Application, line: bytes, text: bytes, *, chunked: bool
) -> None:
    """A body that no API takes gets 413 with the text of the API, although the client goes on sending for a while."""
    size = http_requests.BODY_LIMIT + 1
    length = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" if chunked else b"Content-Length: %d\r\n\r\n"
    peer.send(line + b" HTTP/1.1\r\n" + length % size)
    peer.send(b"x" * 1_000_000)
    answer = peer.answers()

    assert answer.startswith(b"HTTP/1.1 413 Request Entity Too Large\r\nContent-Type: application/json\r\n")
    assert text in answer.partition(b"\r\n\r\n")[2]
    assert [] == application.environs


def test_body_over_the_limit_for_a_rest_api_gets_its_error(peer: Peer) -> None:
    """API Gateway says so in plain text."""
    peer.send(b"POST /_aws/execute-api/abc/api/tasks HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n")
    answer = peer.answers()

    assert answer.startswith(b"HTTP/1.1 413 Request Entity Too Large\r\nContent-Type: text/plain\r\n")
    assert answer.endswith(b"\r\n\r\nHTTP content length exceeded 10485760 bytes.")


FOR_S3 = {
    "signature": b"PUT /b/k HTTP/1.1\r\nAuthorization: AWS4-HMAC-SHA256 Credential=A/20260131/r/s3/aws4_request, x\r\n",
    "presigned": b"PUT /b/k?X-Amz-Credential=A%2F20260131%2Fr%2Fs3%2Faws4_request HTTP/1.1\r\n",
}


@pytest.mark.parametrize("head", FOR_S3.values(), ids=FOR_S3)
@pytest.mark.parametrize("chunked", [False, True])
def test_large_object_for_s3_is_taken(
    peer: Peer, application: Application, monkeypatch: pytest.MonkeyPatch, head: bytes, *, chunked: bool
) -> None:
    """S3 takes objects that are larger than any other request, by way of a file."""
    monkeypatch.setattr(http_requests, "BODY_LIMIT", 100)
    body = bytes(range(256)) * 4
    if chunked:
        peer.send(head + b"Transfer-Encoding: chunked\r\n\r\n400\r\n" + body + b"\r\n0\r\n\r\n")
    else:
        peer.send(head + b"Content-Length: 1024\r\n\r\n" + body)

    assert _ok() == peer.answers()
    assert [body] == application.bodies
    assert "1024" == application.environs[0]["CONTENT_LENGTH"]
    assert application.environs[0]["wsgi.input"].closed


def test_object_over_the_limit_of_s3_is_refused(peer: Peer, application: Application) -> None:
    """Over 5 GiB the error is S3's own."""
    peer.send(FOR_S3["signature"] + b"Content-Length: %d\r\n\r\n" % (5 * 1024**3 + 1))
    answer = peer.answers()

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/xml\r\n")
    assert b"<Code>EntityTooLarge</Code>" in answer
    assert [] == application.environs


def test_client_that_speaks_tls_is_refused_at_once(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    """The first bytes of a TLS handshake are answered although nothing else comes, and the log says why."""
    hello = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost").do_handshake()
    peer.send(hello.read())
    answer = peer.receive(len(b"HTTP/1.1 400 Bad Request"))

    assert b"HTTP/1.1 400 Bad Request" == answer
    assert ["use http:// and not https://" in record.message for record in caplog.records] == [True]


def test_length_of_the_application_is_not_believed(peer: Peer, application: Application) -> None:
    """Another length than the body's would break the connection's next answer; HEAD's, without a body, is kept."""
    application.headers = [("Content-Length", "100")]
    peer.send(POST + b"HEAD /a HTTP/1.1\r\n\r\n")

    end = b"\r\n" + DATE + b"Connection: keep-alive\r\n\r\n"
    assert b"HTTP/1.1 200 OK\r\nContent-Length: 2" + end + b"okHTTP/1.1 200 OK\r\nContent-Length: 100" + end == (
        peer.answers()
    )


def test_header_of_any_text_is_written(peer: Peer, application: Application) -> None:
    """What HTTP cannot write becomes a question mark, and the client gets its answer."""
    application.headers = [("X-Any", "ü😀")]
    peer.send(POST)

    assert b"X-Any: \xfc?\r\n" in peer.answers()


def test_date_is_written_as_http_wants_it() -> None:
    """In Greenwich, with a day of two digits."""
    assert "Sun, 01 Feb 2026 09:08:07 GMT" == REAL_DATE(1769936887)


def test_date_of_the_application_is_kept(peer: Peer, application: Application) -> None:
    """An answer has one date: the application's where it gives one."""
    application.headers = [("date", "then")]
    peer.send(POST)
    answer = peer.answers()

    assert answer.startswith(b"HTTP/1.1 200 OK\r\ndate: then\r\n")
    assert b"Date:" not in answer


def test_bad_request_after_a_good_one_is_refused_alone(peer: Peer, application: Application) -> None:
    """The good request is answered, the bad one refused, and what follows is not read."""
    peer.send(POST)
    good = peer.receive(len(_ok()))
    peer.send(b"nonsense\r\n\r\n")

    assert _ok() == good
    assert _refused(peer.rest())
    assert [b"hello"] == application.bodies


def test_peer_that_leaves_gets_no_answer(connect: Connect, application: Application) -> None:
    """A connection that ends without a request, or after its answer, is no error."""
    silent, served = connect(), connect()
    served.send(POST)
    answer = served.receive(len(_ok()))

    assert (_ok(), b"", b"") == (answer, served.answers(), silent.answers())
    silent.close()
    served.close()
    assert ([], []) == (silent.errors, served.errors)
    assert [b"hello"] == application.bodies


def test_peer_that_breaks_off_ends_its_connection(connect: Connect, application: Application) -> None:
    """A client that is killed while it sends does the server no harm."""
    peer = connect()
    peer.send(POST[:-1])
    peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close by a reset
    peer.close()

    assert [] == peer.errors
    assert [] == application.environs


@pytest.mark.parametrize("where", ["call", "body"])
def test_error_of_the_application_ends_the_connection(peer: Peer, application: Application, where: str) -> None:
    """An application that fails half-way gives no partial answer."""
    error = RuntimeError("no answer")

    def fail() -> Iterator[bytes]:
        yield b"part"
        raise error

    if where == "call":
        application.error = error
    else:
        application.parts = fail()
    peer.send(POST)

    assert b"" == peer.rest()
    peer.close()
    assert [error] == peer.errors


def test_answer_has_one_length_and_no_connection_headers_of_the_application(
    peer: Peer, application: Application
) -> None:
    """What concerns the connection is the server's to say; a length that is given is not given twice."""
    application.status = "201 Created"
    application.headers = [
        ("content-length", "2"),
        ("Transfer-Encoding", "chunked"),
        ("X-Latin", "é"),
        ("CONNECTION", "close"),
        ("Set-Cookie", "a"),
        ("Set-Cookie", "b"),
    ]
    peer.send(POST)

    assert (
        b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\nX-Latin: \xe9\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"
        + DATE
        + b"Connection: keep-alive\r\n\r\nok"
    ) == peer.answers()


def test_answer_is_closed_when_it_is_read(peer: Peer, application: Application) -> None:
    """An answer that holds something is told when it has been read."""

    class Parts(list[bytes]):
        closed = False

        def close(self) -> None:
            self.closed = True

    application.parts = parts = Parts([b"ok"])
    peer.send(POST)

    assert _ok() == peer.answers()
    assert parts.closed


def test_call_that_is_served_directly_does_not_reach_the_application(
    peer: Peer, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call past the chain is answered over the same connection, with headers by their names in lower case."""
    asked: list[tuple[object, ...]] = []

    def reply(*request: object) -> shortcut.Reply | None:
        asked.append(request)
        return ("200 OK", [("Content-Type", "text/plain")], b"direct") if len(asked) == 1 else None

    monkeypatch.setattr(shortcut, "reply", reply)
    peer.send(b"POST /?a HTTP/1.1\r\nX-Amz-TARGET: A.B\r\nContent-Length: 1\r\n\r\nx" + POST)

    assert _ok(b"direct") + _ok() == peer.answers()
    assert (b"POST", b"/?a", {b"x-amz-target": b"A.B", b"content-length": b"1"}, b"x") == asked[0]
    assert [b"hello"] == application.bodies
