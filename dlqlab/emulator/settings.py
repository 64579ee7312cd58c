"""How LocalStack is configured: one mapping of environment variables, each with its reason.

LocalStack reads its settings from the environment once, at import ("Configuration" in the LocalStack documentation).
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from dlqlab.contracts.function_needs import endpoint_problem
from dlqlab.contracts.project import Project, find_project, read_project
from dlqlab.errors import UsageError

STATE_DIR = "DLQLAB_STATE_DIR"
"""Folder of the emulator's files: log, pid, function code, temporary files."""
LIFELINE_FD = "DLQLAB_LIFELINE_FD"
"""File descriptor whose end of file means that the starter is gone; unset where the emulator shall outlive it."""
LISTENER_FD = "DLQLAB_LISTENER_FD"
"""File descriptor of the socket that listens already; see dlqlab.emulator.core.listening."""
PATCHES = "DLQLAB_PATCHES"
"""Comma-separated names of the patches to apply; see dlqlab.emulator.patches."""
CALL_RECORD = "DLQLAB_CALL_RECORD"
"""File to which each distinct AWS call of a function is written, as dlqlab.emulator.gateway.calls has it; or unset."""
DYNAMODB = "DLQLAB_DYNAMODB"
"""Who serves DynamoDB's operations on items: ``fast``, the default, or ``moto``; see dlqlab.emulator.dynamodb."""
POLLERS_MAX = "DLQLAB_POLLERS_MAX"
"""Most batches at once of an event source mapping without MaximumConcurrency; see dlqlab.emulator.mappings.scaling."""
POLLERS_MAX_DEFAULT = 10
"""What a laptop bears: each batch at once may be a function process of its own, of some 50 MB."""
PROCESSOR = "DLQLAB_PROCESSOR"
"""The processor that the emulator keeps to, or ``none``; unset, one is chosen: see dlqlab.emulator.core.processors."""
FUNCTION_FILES = "DLQLAB_FUNCTION_FILES"
"""The file system of functions: ``lambda``, the default, or ``machine``; see dlqlab.emulator.runtime.filesystem."""
FILES_OF_LAMBDA = "lambda"
FILES_OF_MACHINE = "machine"
RECORDER = "DLQLAB_RECORDER"
"""Whether the emulator records what happens: ``on``, the default, or ``off``; see dlqlab.emulator.recorder."""
ON, OFF = "on", "off"
RECORDED_BODIES = "DLQLAB_RECORDED_BODIES"
"""Whether the flight recorder keeps bodies of messages: ``redacted``, the default, or ``none``."""
BODIES_REDACTED = "redacted"
NO_BODIES = "none"
PROJECT_FILE = "DLQLAB_PROJECT_FILE"
"""The project file that the emulator goes by; empty where there is none. See dlqlab.contracts.project."""
ALLOW_NETWORK = "DLQLAB_ALLOW_NETWORK"
"""What functions may reach outside of this machine, besides what the project file allows: ``HOST:PORT``, by commas."""
RESPONSES_PATH = "/_dlqlab/custom-resources/"
"""Below it providers of custom resources of stacks answer, whom Node.js functions reach by ``https`` as well."""
PRETENDED = "DLQLAB_PRETENDED"
"""Resources of templates that the emulator cannot make: ``refused``, the default, or ``allowed``."""
REFUSED, ALLOWED = "refused", "allowed"
ENFORCE_IAM = "DLQLAB_ENFORCE_IAM"
"""``on``: calls are allowed or refused by IAM's policies; see dlqlab.emulator.iam.enforce_iam."""
LIMITS = "DLQLAB_LIMITS"
"""Quotas of the account: ``aws``, with changes after it; see dlqlab.emulator.limits.quotas. Unset, none of them."""
LATENCY = "DLQLAB_LATENCY"
"""How long calls take: ``aws``, or the path of a table; see dlqlab.emulator.latency. Unset, as long as here."""
LATENCY_OF_AWS = "aws"
PURGE_AGAIN = "x-dlqlab-purge-again"
"""Header of a PurgeQueue that does not mind when the queue was purged last; see dlqlab.emulator.sqs.queue_limits."""
DYNAMODB_FAST = "fast"
DYNAMODB_MOTO = "moto"

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
DUMMY_KEY = "test"
"""Access key and secret key of the emulator, which looks at neither."""
SERVICES = (
    "apigateway",
    "apigatewayv2",
    "cloudformation",
    "cloudwatch",
    "dynamodb",
    "dynamodbstreams",
    "ec2",
    "events",
    "firehose",
    "iam",
    "kinesis",
    "kms",
    "lambda",
    "logs",
    "pipes",
    "s3",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "stepfunctions",
    "sts",
    "xray",
)
"""Each is loaded when it is first used; ssm is for ``cdklocal bootstrap`` too."""


def environment(*, host: str, port: int, state: Path, patches: tuple[str, ...]) -> dict[str, str]:
    """The variables of the LocalStack process."""
    return {
        # -- where
        "GATEWAY_LISTEN": f"{host}:{port}",
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",  # so that queue URLs need no name service
        "GATEWAY_SERVER": "threaded",  # LocalStack's own listens on all interfaces
        "FILESYSTEM_ROOT": str(state / "filesystem"),
        "TEMP": str(state / "tmp"),  # LocalStack warns about TMPDIR
        STATE_DIR: str(state),
        # -- what
        "SERVICES": ",".join(SERVICES),
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "PROVIDER_OVERRIDE_DYNAMODB": "moto",
        PATCHES: ",".join(patches),
        DYNAMODB: _dynamodb(),
        **_call_record(),
        POLLERS_MAX: str(pollers_max()),
        FUNCTION_FILES: _function_files(),
        RECORDED_BODIES: _recorded_bodies(),
        **_project(),
        PRETENDED: _pretended(),
        **asked(),
        # -- no network, no Docker, no telemetry
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
        "DOCKER_SOCK": "/dev/null/none",
        "OVERRIDE_IN_DOCKER": "0",  # in a container it would look for files of LocalStack's own image
        # -- what measurements need
        "LAMBDA_SYNCHRONOUS_CREATE": "1",  # otherwise Chalice waits 5 s per function
        "LAMBDA_KEEPALIVE_MS": "600000",
        "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.05",  # default 1: a wait after every batch
        "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "0.05",  # default 10: late retries
        "SQS_ENDPOINT_STRATEGY": "path",
        "LS_LOG": "warning",
        # -- credentials for its calls to itself
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }


def _call_record() -> dict[str, str]:
    """The file by its full path, because the emulator runs in a folder of its own."""
    chosen = os.environ.get(CALL_RECORD)
    return {CALL_RECORD: str(Path(chosen).resolve())} if chosen else {}


def _dynamodb() -> str:
    chosen = os.environ.get(DYNAMODB, DYNAMODB_FAST)
    if chosen not in {DYNAMODB_FAST, DYNAMODB_MOTO}:
        raise UsageError(f"{DYNAMODB} is {chosen}: give {DYNAMODB_FAST} or {DYNAMODB_MOTO}")
    return chosen


def _project() -> dict[str, str]:
    """The project file, checked, and what functions may reach by it and by the shell."""
    path = find_project(Path.cwd())
    project = read_project(path) if path else Project()
    given = [one.strip() for one in os.environ.get(ALLOW_NETWORK, "").split(",") if one.strip()]
    for one in given:
        if problem := endpoint_problem(one):
            raise UsageError(f"{ALLOW_NETWORK} {problem}")
    allowed = dict.fromkeys([*given, *project.network.allow])
    return {PROJECT_FILE: str(path or ""), ALLOW_NETWORK: ",".join(allowed)}


def _function_files() -> str:
    chosen = os.environ.get(FUNCTION_FILES, FILES_OF_LAMBDA)
    if chosen not in {FILES_OF_LAMBDA, FILES_OF_MACHINE}:
        raise UsageError(f"{FUNCTION_FILES} is {chosen}: give {FILES_OF_LAMBDA} or {FILES_OF_MACHINE}")
    return chosen


def asked() -> dict[str, str]:
    """Those of the settings that are off unless they are asked for, by their variables.

    Raises:
        UsageError: one of them makes no sense.
    """
    iam = os.environ.get(ENFORCE_IAM, OFF)
    if iam not in {ON, OFF}:
        raise UsageError(f"{ENFORCE_IAM} is {iam}: give {ON} or {OFF}")
    latency = os.environ.get(LATENCY, "")
    found = {ENFORCE_IAM: iam} if iam == ON else {}
    if latency:
        found[LATENCY] = latency if latency == LATENCY_OF_AWS else str(Path(latency).resolve())
    limits = os.environ.get(LIMITS, "")
    return found | ({LIMITS: limits} if limits else {})


def is_recorder_on() -> bool:
    """Whether an emulator is started with its recorder, where nobody says which patches it shall have.

    Raises:
        UsageError: the environment says neither on nor off.
    """
    chosen = os.environ.get(RECORDER, ON)
    if chosen not in {ON, OFF}:
        raise UsageError(f"{RECORDER} is {chosen}: give {ON} or {OFF}")
    return chosen == ON


def _recorded_bodies() -> str:
    chosen = os.environ.get(RECORDED_BODIES, BODIES_REDACTED)
    if chosen not in {BODIES_REDACTED, NO_BODIES}:
        raise UsageError(f"{RECORDED_BODIES} is {chosen}: give {BODIES_REDACTED} or {NO_BODIES}")
    return chosen


def _pretended() -> str:
    chosen = os.environ.get(PRETENDED, REFUSED)
    if chosen not in {REFUSED, ALLOWED}:
        raise UsageError(f"{PRETENDED} is {chosen}: give {REFUSED} or {ALLOWED}")
    return chosen


def pollers_max() -> int:
    """The bound on growth: each batch at once may be a process of its own.

    Raises:
        UsageError: the environment gives no whole number of 1 or more.
    """
    given = os.environ.get(POLLERS_MAX, str(POLLERS_MAX_DEFAULT))
    if not given.isdecimal() or int(given) < 1:
        raise UsageError(f"{POLLERS_MAX} is {given}: give a whole number of 1 or more")
    return int(given)


def client_environment(endpoint: str) -> dict[str, str]:
    """The variables with which any AWS SDK or tool talks to the emulator."""
    parts = urlsplit(endpoint)
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_S3": endpoint,  # cdklocal starts with it only
        "AWS_ACCESS_KEY_ID": DUMMY_KEY,
        "AWS_SECRET_ACCESS_KEY": DUMMY_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_S3_FORCE_PATH_STYLE": "1",  # cdklocal: no name of a bucket before an address
        # -- cdklocal, samlocal, awslocal, serverless-localstack where they do not go by AWS_ENDPOINT_URL
        "LOCALSTACK_HOSTNAME": parts.hostname or "",
        "EDGE_PORT": str(port),
    }
