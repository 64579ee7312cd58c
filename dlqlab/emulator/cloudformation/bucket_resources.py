"""Buckets of stacks are updated: notifications, versioning, CORS, website, object lock, tags.

LocalStack has no update of a bucket, and reports one as done. It makes a bucket without what else a template may say
of it (lifecycle, encryption, public access, ...), which has no effect on messages; so an update leaves that out too,
but for replication, which is refused.
"""

from collections.abc import Mapping
from typing import Any

from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent
from localstack.services.s3.resource_providers.aws_s3_bucket import S3BucketProvider

from dlqlab.emulator.cloudformation.support import changed, no_update

TYPE = "AWS::S3::Bucket"
_READ_ONLY = ("Arn", "DomainName", "RegionalDomainName", "WebsiteURL")
_REPLICATION = "ReplicationConfiguration"


def patch() -> None:
    S3BucketProvider.update = _update


def _update(self: Any, request: Any) -> Any:
    model, before = request.desired_state, request.previous_state
    model |= {name: before[name] for name in ("BucketName", *_READ_ONLY)}
    changes = {*changed(TYPE, before, model), *changed(TYPE, model, before)}
    if _REPLICATION in changes:
        text = no_update(TYPE, [_REPLICATION])
        return ProgressEvent(status=OperationStatus.FAILED, resource_model=before, message=text)
    client, bucket = request.aws_client_factory.s3, {"Bucket": model["BucketName"]}
    if "NotificationConfiguration" in changes:
        given = self._get_s3_bucket_notification_config(model) or {**bucket, "NotificationConfiguration": {}}
        client.put_bucket_notification_configuration(**given)
    if "VersioningConfiguration" in changes:
        status = (model.get("VersioningConfiguration") or {}).get("Status", "Suspended")
        client.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": status})
    if "ObjectLockConfiguration" in changes and model.get("ObjectLockConfiguration"):
        client.put_object_lock_configuration(**bucket, ObjectLockConfiguration=model["ObjectLockConfiguration"])
    _put_web(self, client, bucket, model)
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def _put_web(provider: Any, client: Any, bucket: Mapping[str, str], model: Mapping[str, Any]) -> None:
    """CORS, website and tags: what is wanted, or nothing of it."""
    if cors := provider._transform_cfn_cors(model.get("CorsConfiguration")):
        client.put_bucket_cors(**bucket, CORSConfiguration=cors)
    else:
        client.delete_bucket_cors(**bucket)
    if website := provider._transform_website_configuration(model.get("WebsiteConfiguration")):
        client.put_bucket_website(**bucket, WebsiteConfiguration=website)
    else:
        client.delete_bucket_website(**bucket)
    if tags := model.get("Tags"):
        client.put_bucket_tagging(**bucket, Tagging={"TagSet": tags})
    else:
        client.delete_bucket_tagging(**bucket)
