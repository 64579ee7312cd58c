"""What a call needs of the key of KMS with which a queue, topic, secret, parameter or object is encrypted.

Source: "Amazon SQS Key management" (least privilege), "Managing Amazon SNS encryption keys and costs", "Secret
encryption and decryption in AWS Secrets Manager", "Using server-side encryption with AWS KMS keys" (Amazon S3), "AWS
KMS encryption for AWS Systems Manager Parameter Store SecureString parameters". AWS's own keys (``alias/aws/...``) need
no permission.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from localstack.services.s3.models import S3Bucket, s3_stores
from localstack.services.sns.models import sns_stores
from localstack.services.sqs.models import sqs_stores
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

from dlqlab.emulator.iam.attached import key_arn
from dlqlab.emulator.iam.policies import Need

_AWS_MANAGED_KEY = "alias/aws/"
_PARTS = 6
_READ, _WRITTEN = "kms:Decrypt", "kms:GenerateDataKey"

type Request = Mapping[str, Any]


def key_needs(need: Need, request: Request, *, region: str, account_id: str) -> list[Need]:
    """What else a call needs, of keys; nothing where what it is about is not encrypted with a key of the account.

    Args:
        need: of the call itself.
        request: its members.
        region: that of the call.
        account_id: that of the call.
    """
    actions, find = _KEYS.get(need.action, ((), None))
    parts = need.resource.split(":", 5)
    if find is None or len(parts) != _PARTS:
        return []
    key = find(parts[3] or region, parts[4] or account_id, parts[5], request)
    if not key or _AWS_MANAGED_KEY in key:
        return []
    arn = key_arn(key, region=region, account_id=account_id)
    return [Need(action, arn) for action in actions]


def _of_queue(region: str, account_id: str, name: str, _request: Request) -> str | None:
    queue = sqs_stores[account_id][region].queues.get(name)
    return queue.attributes.get("KmsMasterKeyId") if queue else None


def _of_topic(region: str, account_id: str, name: str, _request: Request) -> str | None:
    topic = sns_stores[account_id][region].topics.get(f"arn:aws:sns:{region}:{account_id}:{name}")
    return topic["attributes"].get("KmsMasterKeyId") if topic else None


def _of_secret(region: str, account_id: str, name: str, _request: Request) -> str | None:
    arn = f"arn:aws:secretsmanager:{region}:{account_id}:{name}"
    secrets = secretsmanager_backends[account_id][region].secrets.values()
    return next((secret.kms_key_id for secret in list(secrets) if secret.arn == arn), None)


def _of_parameter(region: str, account_id: str, name: str, request: Request) -> str | None:
    if not request.get("WithDecryption"):
        return None
    backend = ssm_backends[account_id][region]
    path = name.removeprefix("parameter/")
    found = backend.get_parameter(f"/{path}") or backend.get_parameter(path)
    return found.keyid if found is not None and found.parameter_type == "SecureString" else None


def _of_object(_region: str, _account_id: str, resource: str, _request: Request) -> str | None:
    name, _, key = resource.partition("/")
    found = next((bucket.objects.get(key) for bucket in _buckets(name)), None)
    return getattr(found, "kms_key_id", None)


def _of_new_object(_region: str, _account_id: str, resource: str, request: Request) -> str | None:
    """The key that the request names, else the bucket's."""
    if request.get("SSEKMSKeyId") or request.get("ServerSideEncryption") not in {None, "aws:kms"}:
        return request.get("SSEKMSKeyId")
    rules = (bucket.encryption_rule for bucket in _buckets(resource.partition("/")[0]))
    default = next(((rule or {}).get("ApplyServerSideEncryptionByDefault") or {} for rule in rules), {})
    return default.get("KMSMasterKeyID")


def _buckets(name: str) -> Iterable[S3Bucket]:
    for regions in list(dict(s3_stores).values()):
        for store in list(regions.values()):
            if bucket := store.buckets.get(name):
                yield bucket


_KEYS: Mapping[str, tuple[tuple[str, ...], Callable[[str, str, str, Request], str | None]]] = {
    "sqs:SendMessage": ((_WRITTEN,), _of_queue),
    "sqs:ReceiveMessage": ((_READ,), _of_queue),
    "sns:Publish": ((_WRITTEN, _READ), _of_topic),
    "secretsmanager:GetSecretValue": ((_READ,), _of_secret),
    "secretsmanager:PutSecretValue": ((_WRITTEN, _READ), _of_secret),
    "ssm:GetParameter": ((_READ,), _of_parameter),
    "ssm:GetParameters": ((_READ,), _of_parameter),
    "s3:GetObject": ((_READ,), _of_object),
    "s3:PutObject": ((_WRITTEN,), _of_new_object),
}
"""By action: what it needs of the key, and how that is found: by region, account, the ARN's last part and request."""
