"""How services word a refusal of IAM. Pure.

Source: "Troubleshoot access denied error messages" (IAM User Guide), "Common Errors" of each API. That SQS writes
actions in lower case and SNS its own name in upper case has been seen on AWS and is not documented.
"""

from dataclasses import dataclass

from dlqlab.emulator.iam.policies import Decision, Need

_CODES = {
    "sqs": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
    "s3": ("AccessDenied", 403),
    "sts": ("AccessDenied", 403),
    "iam": ("AccessDenied", 403),
    "cloudformation": ("AccessDenied", 403),
    "cloudwatch": ("AccessDenied", 403),
    "lambda": ("AccessDeniedException", 403),
    "apigateway": ("AccessDeniedException", 403),
    "scheduler": ("AccessDeniedException", 403),
    "xray": ("AccessDeniedException", 403),
    "ec2": ("UnauthorizedOperation", 403),
}
_BY_KEY = {"sqs": ("KmsAccessDenied", 400), "sns": ("KMSAccessDenied", 400)}
"""Of the services that say so where it is their use of a key that is refused."""
_BY_JSON = ("AccessDeniedException", 400)
"""Of the services that speak AWS's JSON protocol."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What the caller is told."""

    code: str
    message: str
    status: int


def code_and_status(service: str) -> tuple[str, int]:
    """The error code and HTTP status with which a service refuses; ``service`` is its name in botocore."""
    return _CODES.get(service, _BY_JSON)


def refused(service: str, caller: str, need: Need, decision: Decision) -> Refused:
    """The service's error.

    Args:
        service: its name in botocore.
        caller: the ARN of who calls.
        need: what he must not do.
        decision: why; one that is undecided says so in the message, which then is not AWS's.
    """
    code, status = code_and_status(service)
    if need.action.startswith("kms:"):
        code, status = _BY_KEY.get(service, (code, status))
    action = _spelt(need.action)
    message = f"User: {caller} is not authorized to perform: {action}"
    if need.resource != "*" or service in {"sqs", "sns"}:
        message += f" on resource: {need.resource or 'unknown'}"
    if decision.undecided:
        return Refused(code, f"{message}: dlqlab cannot tell whether IAM allows it: {decision.undecided}", status)
    if service == "sts" and decision.why.startswith("because"):
        return Refused(code, message, status)
    return Refused(code, f"{message} {decision.why.replace(need.action, action)}", status)


def key_refused(service: str) -> Refused:
    """The service's error for a key that is not active."""
    denied, status = code_and_status(service)
    if service == "s3":
        text = "The AWS Access Key Id you provided does not exist in our records."
        return Refused("InvalidAccessKeyId", text, status)
    if service == "ec2":
        return Refused("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    code = "UnrecognizedClientException" if denied == "AccessDeniedException" else "InvalidClientTokenId"
    return Refused(code, "The security token included in the request is invalid.", status)


def session_refused(user: str, operation: str) -> Refused:
    """Of a user's own session, which the emulator would not know again. Not AWS's: there it is allowed."""
    code, status = code_and_status("sts")
    why = f"dlqlab cannot tell what the keys of {operation} may: use the user's own, or those of AssumeRole"
    return Refused(code, f"User: {user}: {why}", status)


def _spelt(action: str) -> str:
    prefix, _, name = action.partition(":")
    if prefix == "sqs":
        return action.lower()
    return f"SNS:{name}" if prefix == "sns" else action
