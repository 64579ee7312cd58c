"""The policies of users, roles and resources, from where LocalStack and moto keep them."""

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from localstack.services.events.models import events_stores
from localstack.services.kms.models import deserialize_ciphertext_blob, kms_stores
from localstack.services.lambda_.invocation.models import lambda_stores
from localstack.services.s3.models import s3_stores
from localstack.services.sns.models import sns_stores
from localstack.services.sqs.models import sqs_stores
from moto.dynamodb.models import dynamodb_backends
from moto.iam.models import Group, IAMBackend, Role, User, iam_backends
from moto.secretsmanager.models import secretsmanager_backends

from dlqlab.emulator.iam.policies import Caller, Document

_PARTS = 6


def caller_of(role_arn: str, session_name: str, session_policy: str | None = None) -> Caller:
    """A session of a role; a role that there is not has no policies."""
    account_id = role_arn.split(":")[4]
    backend: IAMBackend = iam_backends[account_id]["aws"]
    role = role_of(role_arn)
    name = role_arn.rpartition("/")[2]
    boundary_arn = role.permissions_boundary_arn if role else None
    return Caller(
        name=f"arn:aws:sts::{account_id}:assumed-role/{name}/{session_name}",
        account_id=account_id,
        principal_arn=role_arn,
        identity=tuple(_identity(role)) if role else (),
        boundary=(_managed(backend, boundary_arn),) if boundary_arn else None,
        session=(_document(session_policy),) if session_policy else None,
    )


def user_of(account_id: str, access_key_id: str | None) -> tuple[Caller, bool] | None:
    """The user whose key it is, and whether the key is active; None for a key of no user."""
    backend: IAMBackend = iam_backends[account_id]["aws"]
    key = backend.access_keys.get(access_key_id)
    user = backend.users.get(key.user_name) if key else None
    if key is None or user is None:
        return None
    groups = [group for group in list(backend.groups.values()) if user in group.users]
    identity = [policy for one in (user, *groups) for policy in _identity(one)]
    caller = Caller(name=user.arn, account_id=account_id, principal_arn=user.arn, identity=tuple(identity))
    return caller, key.status == "Active"


def role_of(arn: str) -> Role | None:
    """The role of that ARN, if there is one."""
    account_id = arn.split(":")[4] if len(arn.split(":")) == _PARTS else ""
    return next((role for role in iam_backends[account_id]["aws"].get_roles() if role.arn == arn), None)


def _identity(principal: User | Group | Role) -> list[Document]:
    inline = [_document(text) for text in dict(principal.policies).values()]
    managed = [
        _document(one.document)
        for policy in list(principal.managed_policies.values())
        for one in policy.versions
        if one.version_id == policy.default_version_id
    ]
    return inline + managed


def _managed(backend: IAMBackend, arn: str) -> Document:
    """A managed policy; one that there is not allows nothing."""
    policy = backend.managed_policies.get(arn)
    versions = policy.versions if policy else []
    return next((_document(one.document) for one in versions if one.version_id == policy.default_version_id), {})


def policy_of(resource: str) -> Document | None:
    """The policy of a resource, by its ARN; None where it has none."""
    parts = resource.split(":", 5)
    if len(parts) != _PARTS:
        return None
    find = _POLICIES.get(parts[2])
    return find(*parts[3:]) if find else None


def _of_role(_region: str, account_id: str, name: str) -> Document | None:
    """A role's trust policy; one that there is not trusts nobody."""
    role = role_of(f"arn:aws:iam::{account_id}:{name}")
    return _document(role.assume_role_policy_document) if role else {}


def _of_key(region: str, account_id: str, name: str) -> Document | None:
    key = kms_stores[account_id][region].keys.get(name.removeprefix("key/"))
    return _document(key.policy) if key else None


def _of_queue(region: str, account_id: str, name: str) -> Document | None:
    queue = sqs_stores[account_id][region].queues.get(name)
    return _document(queue.attributes.get("Policy")) if queue else None


def _of_topic(region: str, account_id: str, name: str) -> Document | None:
    topic = sns_stores[account_id][region].topics.get(f"arn:aws:sns:{region}:{account_id}:{name}")
    return _document(topic["attributes"].get("Policy")) if topic else None


def _of_bucket(_region: str, _account_id: str, resource: str) -> Document | None:
    name = resource.partition("/")[0]
    for regions in list(dict(s3_stores).values()):
        for store in list(regions.values()):
            if bucket := store.buckets.get(name):
                return _document(bucket.policy)
    return None


def _of_secret(region: str, account_id: str, name: str) -> Document | None:
    arn = f"arn:aws:secretsmanager:{region}:{account_id}:{name}"
    secrets = secretsmanager_backends[account_id][region].secrets.values()
    return next((_document(secret.policy) for secret in list(secrets) if secret.arn == arn), None)


def _of_bus(region: str, account_id: str, name: str) -> Document | None:
    bus = events_stores[account_id][region].event_buses.get(name.removeprefix("event-bus/"))
    return _document(bus.policy) if bus else None


def _of_table(region: str, account_id: str, name: str) -> Document | None:
    """That of the table speaks of its indexes too."""
    arn = f"arn:aws:dynamodb:{region}:{account_id}:{'/'.join(name.split('/')[:2])}"
    found = dynamodb_backends[account_id][region].resource_policies.get(arn)
    return _document(found.policy_doc) if found else None


def _of_function(region: str, account_id: str, name: str) -> Document | None:
    _, _, rest = name.partition(":")
    function_name, _, qualifier = rest.partition(":")
    function = lambda_stores[account_id][region].functions.get(function_name)
    found = function.permissions.get(qualifier or "$LATEST") if function else None
    return _document(found.policy) if found else None


_POLICIES = {
    "dynamodb": _of_table,
    "events": _of_bus,
    "iam": _of_role,
    "kms": _of_key,
    "lambda": _of_function,
    "s3": _of_bucket,
    "secretsmanager": _of_secret,
    "sns": _of_topic,
    "sqs": _of_queue,
}
"""By service: how the policy of a resource is found."""


def key_arn(key: str, *, region: str, account_id: str) -> str:
    """The ARN of a key, by its id, its ARN or an alias."""
    name = key.split(":", 5)[5] if key.startswith("arn:") else key
    if name.startswith("alias/"):
        alias = kms_stores[account_id][region].aliases.get(name)
        name = alias.metadata["TargetKeyId"] if alias else name
    return f"arn:aws:kms:{region}:{account_id}:key/{name.removeprefix('key/')}"


def resolved_request(service: str, request: Mapping[str, Any], *, region: str, account_id: str) -> Mapping[str, Any]:
    """The request with the ARN of its key or secret in place of another name of it."""
    if service == "kms":
        key = request.get("KeyId") or _key_of(request.get("CiphertextBlob"))
        return {**request, "KeyId": key_arn(key, region=region, account_id=account_id)} if key else request
    if service == "secretsmanager" and request.get("SecretId"):
        secret = secretsmanager_backends[account_id][region].secrets.get(request["SecretId"])
        return {**request, "SecretId": secret.arn} if secret else request
    return request


def _key_of(ciphertext: bytes | None) -> str | None:
    try:
        return str(deserialize_ciphertext_blob(ciphertext).key_id) if ciphertext else None
    except (struct.error, UnicodeError):
        return None  # KMS refuses it


def _document(given: Any) -> Document:
    """A policy as its JSON; an empty one where there is none."""
    if is_dataclass(given) and not isinstance(given, type):
        return asdict(given)
    if isinstance(given, Mapping):
        return given
    found = json.loads(given) if given else {}
    return found if isinstance(found, dict) else {}
