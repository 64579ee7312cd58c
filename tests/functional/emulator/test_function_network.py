"""What code can reach behind the rules of a function's network, with real sockets: in Python and in Node.js."""

import http.server
import json
import os
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator

import pytest

from dlqlab.emulator import settings
from dlqlab.emulator.runtime import function_network, network

Run = Callable[..., list[str]]
NODE = shutil.which("node")
NAMES = network.MODULE.parent / "node" / "names.cjs"


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.headers["Host"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Nothing to the terminal."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of a server in the emulator's place, which answers with the host that it was asked for."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def _said(command: list[str], port: int, allow: tuple[str, ...]) -> list[str]:
    rules = json.dumps({"port": port, "ports": [4777], "allow": list(allow), "plain": "/answers/"})
    environ = {"PATH": os.environ["PATH"], network.VARIABLE: rules}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environ)
    assert ended.returncode == 0, ended.stderr
    return [*ended.stdout.splitlines(), *ended.stderr.splitlines()]


@pytest.fixture
def python(port: int) -> Run:
    """Runs code behind the rules; its lines, those of the log last."""
    path = f"import sys; sys.path.insert(0, {str(network.MODULE.parent)!r})\n"
    start = path + "import function_network\nfunction_network.install()\n"

    def run(code: str, *allow: str) -> list[str]:
        return _said([sys.executable, "-c", start + textwrap.dedent(code).replace("PORT", str(port))], port, allow)

    return run


@pytest.fixture
def node(port: int) -> Run:
    """The same in Node.js."""
    if NODE is None:
        pytest.skip("this machine has no node on PATH")

    def run(code: str, *allow: str, kind: str = "commonjs") -> list[str]:
        command = [str(NODE), "--require", str(NAMES), f"--input-type={kind}", "-e"]
        return _said([*command, textwrap.dedent(code).replace("PORT", str(port))], port, allow)

    return run


def test_variable_has_one_name() -> None:
    """Whoever sets it and whoever reads it."""
    assert network.VARIABLE == function_network.VARIABLE
    assert f"'{network.VARIABLE}'" in NAMES.read_text()


def test_python_reaches_the_emulator_by_every_name(python: Run) -> None:
    """urllib, http.client and asyncio; hosts in requests stay as they were written."""
    said = python(
        """
        import asyncio, http.client, os, urllib.request
        for host in ("localstack:4566", "sqs.us-east-1.localhost.localstack.cloud:4566",
                     "LOCALHOST.localstack.cloud:4571",
                     "host.docker.internal:4777", "localhost:4566", "127.0.0.1:4777", "localhost:PORT"):
            print(urllib.request.urlopen(f"http://{host}/", timeout=10).read().decode())
        async def ask():
            reader, writer = await asyncio.open_connection("localhost.localstack.cloud", 4566)
            writer.write(b"GET / HTTP/1.0\\r\\nHost: by-asyncio\\r\\n\\r\\n")
            print((await reader.read()).split(b"\\r\\n")[-1].decode())
            writer.close()
        asyncio.run(ask())
        print("DLQLAB_NETWORK" in os.environ)
        """
    )

    assert said == [
        "localstack:4566",
        "sqs.us-east-1.localhost.localstack.cloud:4566",
        "LOCALHOST.localstack.cloud:4571",
        "host.docker.internal:4777",
        "localhost:4566",
        "127.0.0.1:4777",
        said[6],
        "by-asyncio",
        "False",
    ]
    assert said[6].startswith("localhost:")


def test_python_reaches_nothing_outside(python: Run) -> None:
    """By name or address, TCP or UDP, sync or not: refused at once, with the remedy; a log line for each place."""
    said = python(
        """
        import asyncio, socket, urllib.error, urllib.request
        def tried(what):
            try:
                what()
            except OSError as error:
                print(type(getattr(error, "reason", error)).__name__, getattr(error, "reason", error).errno == 111)
        for _ in range(2):
            tried(lambda: urllib.request.urlopen("https://api.example.com/"))
        tried(lambda: urllib.request.urlopen("http://169.254.169.254/latest/meta-data/"))
        tried(lambda: socket.create_connection(("2001:db8::1", 80)))
        tried(lambda: socket.gethostbyname("example.com"))
        tried(lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)))
        tried(lambda: asyncio.run(asyncio.open_connection("192.0.2.7", 5432)))
        """
    )

    assert ["ConnectionRefusedError True"] * 7 == said[:7]
    assert len(said) == 13
    assert (
        "[dlqlab] refused: api.example.com:443 is outside of this machine, and functions may not reach it: to allow "
        'it, give [network] allow = ["api.example.com:443"] in dlqlab.toml or dlqlab up --allow-network '
        "api.example.com:443"
    ) in said
    assert any("169.254.169.254:80" in line for line in said)
    assert any("[2001:db8::1]:80" in line for line in said)


def test_python_reaches_what_is_allowed(python: Run) -> None:
    """By its name, and then by the address that the name has; another port stays shut."""
    said = python(
        """
        import socket
        import function_network
        rules = function_network.Network(1, [], ["*.example.com:443", "192.0.2.9:*"])
        print(rules.place("api.example.com", 443), rules.place("api.example.com", None), rules.place("192.0.2.9", 1))
        rules.resolved("api.example.com", [(2, 1, 6, "", ("192.0.2.1", 443))])
        print(rules.place("192.0.2.1", 443))
        for host, port in (("192.0.2.1", 80), ("api.example.com", 80), ("example.org", None)):
            try:
                print(rules.place(host, port))
            except ConnectionRefusedError as error:
                print("refused", str(error).split(" is ")[0].split("] ")[1])
        """
    )

    assert said[:5] == [
        "('api.example.com', 443) ('api.example.com', None) ('192.0.2.9', 1)",
        "('192.0.2.1', 443)",
        "refused 192.0.2.1:80",
        "refused api.example.com:80",
        "refused example.org:*",
    ]


def test_python_on_this_machine_is_as_it_was(python: Run) -> None:
    """Servers of its own on loopback and on local sockets, the machine's own name, datagrams."""
    said = python(
        """
        import socket, tempfile
        server = socket.create_server(("127.0.0.1", 0))
        client = socket.create_connection(server.getsockname())
        print(client.getpeername() == server.getsockname())
        path = tempfile.mkdtemp() + "/s"
        local = socket.socket(socket.AF_UNIX); local.bind(path); local.listen()
        peer = socket.socket(socket.AF_UNIX); print(peer.connect_ex(path))
        one, two = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
        two.bind(("localhost", 0))
        to = two.getsockname()
        print(one.sendto(b"abc", to), one.sendto(b"abc", 0, to), one.sendmsg([b"ab"], [], 0, to))
        print(bool(socket.getaddrinfo("localhost", "80")), socket.getaddrinfo("192.0.2.1", 80)[0][4][0])
        try:
            client.connect()
        except TypeError:
            print("TypeError")
        """
    )

    assert said == ["True", "0", "3 3 2", "True 192.0.2.1", "TypeError"]


def test_node_reaches_the_emulator_by_every_name(node: Run) -> None:
    """http, fetch, sockets, lookups, ES modules."""
    said = node(
        """
        import { get } from 'node:http'
        import { lookup } from 'node:dns'
        import { lookup as promised } from 'node:dns/promises'
        import net from 'node:net'
        const ask = (url) => new Promise((done, failed) =>
          get(url, (response) => response.on('data', (data) => done(String(data)))).on('error', failed))
        for (const host of ['localstack:4566', 's3.localhost.localstack.cloud:4566', 'host.docker.internal:4777'])
          console.log(await ask(`http://${host}/`))
        console.log(await ask('http://localhost:4566/'))
        console.log(await (await fetch('http://localhost.localstack.cloud:4570/')).text())
        await new Promise((done) => lookup('x.localhost.localstack.cloud', (error, address) => {
          done(console.log(error, address))
        }))
        console.log((await promised('localstack', { all: true })).map((one) => one.address).join())
        const peer = (connect) => new Promise((done) => {
          const socket = connect(() => { console.log(socket.remotePort === PORT); socket.end(); done() })
        })
        await peer((done) => net.connect(4566, 'localstack', done))
        await peer((done) => new net.Socket().connect(4566, done))
        console.log('DLQLAB_NETWORK' in process.env)
        process.exit()
        """,
        kind="module",
    )

    hosts = ["localstack:4566", "s3.localhost.localstack.cloud:4566", "host.docker.internal:4777", "localhost:4566"]
    last = ["localhost.localstack.cloud:4570", "null 127.0.0.1", "127.0.0.1", "true", "true", "false"]
    assert said == [*hosts, *last]


def test_node_reaches_the_emulator_by_https_without_tls(node: Run) -> None:
    """By LocalStack's names at ports that mean it, and where answers of custom resources go, at port 443 too."""
    said = node(
        """
        import https, { get, request } from 'node:https'
        const of = (start) => new Promise((done, failed) => start((response) =>
          response.on('data', (data) => done(console.log(String(data))))).on('error', failed).end())
        const agent = new https.Agent({ keepAlive: true })
        await of((done) => get('https://sqs.localhost.localstack.cloud/', done))
        await of((done) => get(new URL('https://localstack:4566/'), { agent, headers: { Host: 'own' } }, done))
        await of((done) => request({ hostname: 'localhost.localstack.cloud', port: 4566, path: '/', agent }, done))
        const answer = { hostname: '127.0.0.1', port: 443, path: '/answers/1', headers: { 'content-length': 0 } }
        await of((done) => https.request(answer, done))
        delete answer.port
        await of((done) => request(answer, done))
        await new Promise((done) => https.get('https://127.0.0.1/other').on('error', (error) => {
          done(console.log(error.code))
        }))
        try { https.get('no url') } catch (error) { console.log(error.code) }
        process.exit()
        """,
        kind="module",
    )

    hosts = ["sqs.localhost.localstack.cloud", "own", "localhost.localstack.cloud", "127.0.0.1", "127.0.0.1"]
    assert said == [*hosts, "ECONNREFUSED", "ERR_INVALID_URL"]


def test_node_reaches_nothing_outside(node: Run) -> None:
    """By name or address, over TLS, fetch and UDP, from a worker: refused at once; message and log say why."""
    said = node(
        """
        const dns = require('dns'), net = require('net'), https = require('https'), dgram = require('dgram')
        const { Worker } = require('worker_threads')
        const failed = (start) => new Promise((done) => start((error) => {
          done(console.log(error.code, error.message.includes('--allow-network')))
        }))
        const main = async () => {
          await failed((done) => https.get('https://api.example.com/').on('error', done))
          await failed((done) => net.connect(80, '169.254.169.254').on('error', done))
          await failed((done) => dns.lookup('example.org', done))
          await failed((done) => dns.promises.lookup('example.org').catch(done))
          await failed((done) => fetch('http://192.0.2.1/').catch((error) => done(error.cause)))
          await failed((done) => {
            const socket = dgram.createSocket('udp4')
            socket.send('x', 53, '192.0.2.1', (error) => { socket.close(); done(error) })
          })
          const code = "require('net').connect(80, '192.0.2.2').on('error', (error) => { throw error })"
          await failed((done) => new Worker(code, { eval: true }).on('error', done))
        }
        main()
        """
    )

    assert ["ECONNREFUSED true"] * 7 == [line for line in said if line.startswith("ECONN")]
    assert any(line.startswith("[dlqlab] refused: api.example.com:443 is outside") for line in said)


def test_node_on_this_machine_is_as_it_was(node: Run) -> None:
    """Servers of its own, local sockets, datagrams."""
    said = node(
        """
        const net = require('net'), dgram = require('dgram'), dns = require('dns')
        const os = require('os'), path = require('path'), fs = require('fs')
        const server = net.createServer((socket) => socket.end('tcp'))
        const local = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 's')), 's')
        server.listen(0, '127.0.0.1', () => net.connect(server.address().port).on('data', (data) => {
          console.log(String(data)); server.close()
        }))
        const second = net.createServer((socket) => socket.end('local'))
        second.listen(local, () => net.connect(local).on('data', (data) => {
          console.log(String(data)); second.close()
        }))
        const udp = dgram.createSocket('udp4').on('message', (data) => { console.log(String(data)); udp.close() })
        udp.bind(0, '127.0.0.1', () => {
          dgram.createSocket('udp4').unref().send('udp', udp.address().port, 'localhost')
        })
        dns.lookup('127.0.0.1', (error, address) => console.log(address))
        """
    )

    assert sorted(said) == ["127.0.0.1", "local", "tcp", "udp"]


def test_hosts_for_programs_without_rules() -> None:
    """LocalStack's names lead to loopback in the table that other programs see."""
    table = network.hosts("127.0.0.1 localhost\n")

    assert table.startswith("127.0.0.1 localhost\n127.0.0.1 localstack\n")
    assert "127.0.0.1 sqs.us-east-1.localhost.localstack.cloud\n" in table


def test_rules_are_for_those_who_obey_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python and Node.js; the function's own EDGE_PORT is one on which it expects LocalStack."""
    monkeypatch.setenv("DLQLAB_ALLOW_NETWORK", "a:1,b:*")
    rules = network.rules("python3.13", 5, {"EDGE_PORT": "4600"})

    given = json.loads(rules[network.VARIABLE])
    assert given == {"port": 5, "ports": [4600], "allow": ["a:1", "b:*"], "plain": settings.RESPONSES_PATH}
    assert network.rules("nodejs22.x", 5, {}).keys() == {network.VARIABLE}
    assert {} == network.rules("provided.al2023", 5, {})
    monkeypatch.delenv("DLQLAB_ALLOW_NETWORK")
    assert json.loads(network.rules("python3.9", 5, {})[network.VARIABLE])["allow"] == []
