"""With --enforce-iam, a call of a function or service is allowed or refused by the policies of IAM, as on AWS.

Who signs with a key of a user, or of a role's session, has the user's or the role's policies; what a service of AWS
delivers to a queue, a topic or a function needs that resource's policy; whoever comes with another key is the account's
root. A mapping of a queue needs its function's role to let it read the queue, and API Gateway needs the function's
permission.
"""

import json
import logging
import time
from collections.abc import Mapping
from typing import Any, NoReturn

from botocore.exceptions import ClientError
from localstack.aws import handlers
from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.api.lambda_ import InvalidParameterValueException
from localstack.aws.app import LocalstackAwsGateway
from localstack.services.apigateway.next_gen.execute_api.integrations.aws import RestApiAwsProxyIntegration
from localstack.services.lambda_.provider import LambdaProvider
from localstack.utils.aws.request_context import extract_access_key_id_from_auth_header
from localstack.utils.patch import patch as replace
from moto.sts.models import sts_backends

from dlqlab.emulator.iam.actions import needs_of
from dlqlab.emulator.iam.attached import caller_of, policy_of, resolved_request, role_of, user_of
from dlqlab.emulator.iam.encrypted import key_needs
from dlqlab.emulator.iam.policies import Caller, Decision, Need, decide
from dlqlab.emulator.iam.refused import Refused, key_refused, refused, session_refused

_LOG = logging.getLogger(__name__)
_DELIVERIES = frozenset({"sqs:SendMessage", "sns:Publish", "lambda:InvokeFunction", "sts:AssumeRole"})
"""What services of AWS do by the policy of a resource; their other calls here are only LocalStack's plumbing."""
_POLLING = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_NO_STREAM = (
    "Cannot access stream {}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, "
    "ListShards, and ListStreams Actions on your stream in Kinesis or DynamoDB."
)
_ALWAYS = "sts:GetCallerIdentity"
_OTHER_SESSIONS = frozenset({"sts:GetSessionToken", "sts:GetFederationToken"})
"""Their keys would be the account's root's here."""


def _enforce(_chain: Any, context: RequestContext, _response: Any) -> None:
    """A request handler of LocalStack's gateway."""
    if context.service is None or context.operation is None:
        return
    service = context.service.service_name
    caller = _caller(context)
    if caller is None:
        return
    if not caller.is_service and f"{service}:{context.operation.name}" in _OTHER_SESSIONS:
        _refuse(session_refused(caller.name, context.operation.name))
    request = _request(service, context)
    where = {"region": context.region, "account_id": context.account_id}
    for need in needs_of(service, context.operation.name, resolved_request(service, request, **where), **where):
        if need.action == _ALWAYS or (caller.is_service and need.action not in _DELIVERIES):
            continue
        for one in (need, *key_needs(need, request, **where)):
            via = None if one is need or caller.is_service else f"{service}.{context.region}.amazonaws.com"
            if found := _refusal(service, one, caller, _context(context, caller, via)):
                _refuse(found)


def _refuse(found: Refused) -> NoReturn:
    raise CommonServiceException(found.code, found.message, found.status, sender_fault=True)


def _caller(context: RequestContext) -> Caller | None:
    """Who calls; None for the account's root.

    Raises:
        CommonServiceException: the key is a user's and not active.
    """
    key = extract_access_key_id_from_auth_header(context.request.headers)
    session = sts_backends[context.account_id]["aws"].get_assumed_role_from_access_key(key)
    if session:
        return caller_of(session.role_arn, session.session_name, session.policy)
    if found := user_of(context.account_id, key):
        user, is_active = found
        if not is_active:
            _refuse(key_refused(context.service.service_name))
        return user
    principal = (context.internal_request_params or {}).get("service_principal")
    return Caller(name=f"{principal}.amazonaws.com", account_id=context.account_id) if principal else None


def _request(service: str, context: RequestContext) -> Mapping[str, Any]:
    if service == "dynamodb":
        request: Mapping[str, Any] = json.loads(context.request.data)  # which may reach its provider unparsed
        return request
    return context.service_request or {}


def _context(context: RequestContext, caller: Caller, via: str | None) -> dict[str, str | None]:
    source = (context.internal_request_params or {}).get("source_arn")
    return _keys(caller, source if caller.is_service else None, context.region, via)


def _keys(caller: Caller, source_arn: str | None, region: str, via: str | None = None) -> dict[str, str | None]:
    """The condition keys that are known of a request ("AWS global condition context keys", "AWS KMS condition keys").

    Args:
        caller: who calls.
        source_arn: on whose behalf a service calls.
        region: of the call.
        via: the service that uses a key for the caller, as ``sqs.eu-west-1.amazonaws.com``.
    """
    account = (source_arn or "").split(":")[4:5]
    now_s = time.time()
    return {
        "aws:sourcearn": source_arn,
        "aws:sourceaccount": ((account[0] if account else "") or caller.account_id) if source_arn else None,
        "aws:sourceowner": caller.account_id,
        "aws:principalarn": caller.principal_arn or None,
        "aws:principalaccount": None if caller.is_service else caller.account_id,
        "aws:principaltype": None if caller.is_service else "User" if caller.is_user else "AssumedRole",
        "aws:username": caller.name.rpartition("/")[2] if caller.is_user else None,
        "aws:principalisawsservice": str(caller.is_service).lower(),
        "aws:principalservicename": caller.name if caller.is_service else None,
        "aws:requestedregion": region,
        "kms:viaservice": via,
        "aws:securetransport": "true",  # on AWS, where SDKs speak HTTPS
        "aws:currenttime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_s)),
        "aws:epochtime": str(int(now_s)),
    }


def _refusal(service: str, need: Need, caller: Caller, keys: Mapping[str, str | None]) -> Refused | None:
    """The error that the call gets, told in the log too; None where it is allowed."""
    policy = policy_of(need.resource)
    must = policy is not None and (need.action.startswith("kms:") or need.action == "sts:AssumeRole")
    decision: Decision = decide(need, caller, keys, policy, must_resource_allow=must)
    if decision.is_allowed:
        return None
    found = refused(service, caller.name, need, decision)
    _LOG.warning("IAM refused a call: %s. %s", found.message, _remedy(need, caller, decision))
    return found


def _remedy(need: Need, caller: Caller, decision: Decision) -> str:
    """The statement that was missing."""
    if decision.undecided or "explicit deny" in decision.why:
        return "Look at the statements that speak of this action."
    statement: dict[str, Any] = {"Effect": "Allow", "Action": need.action, "Resource": need.resource or "*"}
    if caller.is_service:
        statement = {"Principal": {"Service": caller.name}, **statement}
        return f"Missing in the resource's policy: {json.dumps(statement)}"
    if not caller.is_user and role_of(caller.principal_arn) is None:
        return f"There is no role {caller.principal_arn}: create it, with {json.dumps(statement)}"
    return f"Missing for {caller.principal_arn}: {json.dumps(statement)}"


def _check_mapping(role_arn: str, queue_arn: str) -> None:
    """The role must let its mapping read the queue ("Using Lambda with Amazon SQS": execution role permissions).

    Raises:
        InvalidParameterValueException: it does not, with the text that AWS has for it.
    """
    region = queue_arn.split(":")[3]
    caller = caller_of(role_arn, "awslambda")
    for operation in _POLLING:
        need = Need(f"sqs:{operation}", queue_arn)
        more = key_needs(need, {}, region=region, account_id=caller.account_id)
        via = f"sqs.{region}.amazonaws.com"
        if any(_refusal("sqs", one, caller, _keys(caller, None, region, via)) for one in (need, *more)):
            raise InvalidParameterValueException(
                f"The provided execution role does not have permissions to call {operation} on SQS", Type="User"
            )


def _check_api_gateway(function_arn: str, source_arn: str) -> None:
    """API Gateway must be allowed to call the function, which a permission of the function does.

    Raises:
        ClientError: Lambda's, which makes the API answer 500.
    """
    _, _, _, region, account_id, *_ = function_arn.split(":")
    caller = Caller(name="apigateway.amazonaws.com", account_id=account_id)
    need = Need("lambda:InvokeFunction", function_arn)
    if found := _refusal("lambda", need, caller, _keys(caller, source_arn, region)):
        raise ClientError({"Error": {"Code": found.code, "Message": found.message}}, "Invoke")


def patch() -> None:

    @replace(LocalstackAwsGateway.__init__)
    def init(original, self, *args, **kwargs):  # type: ignore[no-untyped-def]
        original(self, *args, **kwargs)
        self.request_handlers.insert(self.request_handlers.index(handlers.parse_service_request) + 1, _enforce)

    @replace(LambdaProvider.check_service_resource_exists)
    def check_service_resource_exists(original, self, service, resource_arn, function_arn, function_role_arn):  # type: ignore[no-untyped-def]
        if service.startswith("sqs"):
            _check_mapping(function_role_arn, resource_arn)
        try:
            return original(self, service, resource_arn, function_arn, function_role_arn)
        except ClientError as error:
            if not error.response["Error"]["Code"].startswith("AccessDenied"):
                raise
            raise InvalidParameterValueException(_NO_STREAM.format(resource_arn), Type="User") from error

    call = RestApiAwsProxyIntegration.call_lambda

    def call_lambda(function_arn: str, event: bytes, source_arn: str, credentials: str | None = None) -> bytes:
        if not credentials:
            _check_api_gateway(function_arn, source_arn)
        return bytes(call(function_arn=function_arn, event=event, source_arn=source_arn, credentials=credentials))

    RestApiAwsProxyIntegration.call_lambda = staticmethod(call_lambda)
