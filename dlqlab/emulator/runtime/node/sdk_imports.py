"""Which packages of the AWS SDK a bundle imports and does not bring along. Lambda has them all beside the bundle."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from dlqlab.emulator import settings

_SCRIPTS = {".js", ".mjs", ".cjs"}
_IMPORT = re.compile(rb"""["'`](@(?:aws-sdk|smithy)/[a-z0-9-]+)(?=["'`/])""")
_ANY = re.compile(rb"""`@aws-sdk/client-\$\{|["']@aws-sdk/client-["'][ \t]*\+""")
"""The name of a client is put together when it is needed, as CDK's AwsCustomResource does."""
_CLIENTS = {
    "apigateway": "api-gateway",
    "dynamodbstreams": "dynamodb-streams",
    "events": "eventbridge",
    "logs": "cloudwatch-logs",
    "secretsmanager": "secrets-manager",
    "stepfunctions": "sfn",
}
"""Services that their client of the SDK is not called after."""
SERVED = frozenset(f"@aws-sdk/client-{_CLIENTS.get(service, service)}" for service in settings.SERVICES)
"""The clients of all services that the emulator serves."""
_OF_SDK = {"@aws-sdk", "@smithy"}


def imported(roots: Iterable[Path]) -> frozenset[str]:
    """Names such as ``@aws-sdk/client-sqs`` in the scripts below some folders, without those that they contain.

    All served ones where a script puts the name together.
    """
    names: set[str] = set()
    for root in roots:
        found: set[str] = set()
        for path in _scripts(root):
            text = path.read_bytes()
            found |= {name.decode() for name in _IMPORT.findall(text)} | (SERVED if _ANY.search(text) else set())
        names |= {name for name in found if not _has(root, name)}
    return frozenset(names)


def _scripts(root: Path) -> Iterator[Path]:
    for folder, folders, files in root.walk():
        folders[:] = [name for name in folders if name not in _OF_SDK]  # what they need comes with them
        yield from (folder / name for name in files if Path(name).suffix in _SCRIPTS)


def _has(root: Path, name: str) -> bool:
    places = (root, root / "nodejs", *root.glob("nodejs/node*"))
    return any((place / "node_modules" / name / "package.json").is_file() for place in places)
