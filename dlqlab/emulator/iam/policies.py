"""IAM's decision on one action by the policies that speak of it. Pure.

Source: "Policy evaluation logic" (within one account), "How AWS enforcement code logic evaluates requests to allow or
deny access", "Troubleshoot access denied error messages". There are no other accounts here,
and no organizations.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dlqlab.emulator.iam.conditions import Context, UnknownVariableError, holds, like, resolved, unknown

Document = Mapping[str, Any]
"""A policy, as its JSON has it."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a call needs; ``action`` as ``sqs:SendMessage``, ``resource`` an ARN, or ``*`` where it is of none."""

    action: str
    resource: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls: a user, a session of a role, or a service of AWS by its principal, which has no own policies."""

    name: str
    """The ARN of the user or session, or the principal, as ``sns.amazonaws.com``."""
    account_id: str = ""
    principal_arn: str = ""
    """Of the user or the session's role, whose policies these are."""
    identity: tuple[Document, ...] = ()
    boundary: tuple[Document, ...] | None = None
    session: tuple[Document, ...] | None = None

    @property
    def is_service(self) -> bool:
        """Whether it is a service, whom only the policy of a resource can allow something."""
        return not self.principal_arn

    @property
    def is_user(self) -> bool:
        """Whether it is a user, who is his own principal."""
        return self.principal_arn == self.name


@dataclass(frozen=True, slots=True)
class Decision:
    """``why`` ends AWS's message; ``undecided`` says what is not known here, and then nothing is allowed."""

    is_allowed: bool
    why: str = ""
    undecided: str = ""


UNKNOWN = ""
"""The resource of a need that is not known: only a policy for all resources says something of it."""
ALLOWED = Decision(is_allowed=True)
_NO_IDENTITY = "no identity-based policy allows"
_NO_RESOURCE = "no resource-based policy allows"
_NO_BOUNDARY = "no permissions boundary allows"
_NO_SESSION = "no session policy allows"


def decide(
    need: Need,
    caller: Caller,
    context: Context,
    resource_policy: Document | None = None,
    *,
    must_resource_allow: bool = False,
) -> Decision:
    """Whether the caller may do it.

    Args:
        need: the action and its resource.
        caller: who calls, with the policies that are his.
        context: the condition keys of the request.
        resource_policy: that of the queue, topic, function, bucket; None where the resource has none.
        must_resource_allow: whether nothing is allowed that this policy does not allow the caller or his account, as
            it is for keys of KMS and for a role's trust policy.
    """
    granted = _Verdicts(need, context, None)
    by_resource = _Verdicts(need, context, caller).of([resource_policy] if resource_policy else [])
    by_identity = granted.of(caller.identity)
    limits = [
        (_NO_BOUNDARY, "permissions boundary", caller.boundary),
        (_NO_SESSION, "session policy", caller.session),
    ]
    bounds = [(text, name, granted.of(given)) for text, name, given in limits if given is not None]
    for name, found in (
        ("identity-based policy", by_identity),
        ("resource-based policy", by_resource),
        *((name, found) for _, name, found in bounds),
    ):
        if found.deny:
            return Decision(is_allowed=False, why=f"with an explicit deny in a{'n' * (name[0] == 'i')} {name}")
    doubts = [doubt for found in (by_identity, by_resource, *(one for _, _, one in bounds)) for doubt in found.doubts]
    is_granted = by_identity.allow or by_resource.is_direct
    allowed = by_resource.is_for_session or (is_granted and all(found.allow for _, _, found in bounds))
    is_open = by_resource.allow or not must_resource_allow
    allowed = allowed and is_open
    doubtful = [doubt.text for doubt in doubts if doubt.is_deny is allowed]
    if doubtful:
        return Decision(is_allowed=False, undecided="; ".join(dict.fromkeys(doubtful)))
    if allowed:
        return ALLOWED
    missing = _NO_RESOURCE if caller.is_service else _NO_IDENTITY
    if not is_open:
        missing = _NO_RESOURCE
    elif is_granted:
        missing = next(text for text, _, found in bounds if not found.allow)
    return Decision(is_allowed=False, why=f"because {missing} the {need.action} action")


@dataclass(frozen=True, slots=True)
class _Doubt:
    text: str
    is_deny: bool


@dataclass(frozen=True, slots=True)
class _Found:
    allow: bool = False
    deny: bool = False
    is_direct: bool = False
    """Whether a resource's policy allows it to this caller by itself, not only to his account."""
    is_for_session: bool = False
    """Whether it does so for the session and not for its role, and so whatever its bounds are."""
    doubts: tuple[_Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class _Verdicts:
    """What policies say of one request; ``caller`` only for policies with principals."""

    need: Need
    context: Context
    caller: Caller | None

    def of(self, policies: Iterable[Document]) -> _Found:
        allow = deny = direct = session = False
        doubts: list[_Doubt] = []
        for statement in (one for policy in policies for one in statements(policy)):
            is_deny = statement.get("Effect") == "Deny"
            applies = self._applies(statement)
            if applies is None:
                doubts.append(_Doubt(self._doubt(statement), is_deny))
            elif applies:
                deny = deny or is_deny
                allow = allow or not is_deny
                if self.caller is not None and not is_deny:
                    names = _names_of(statement, self.caller)
                    direct = direct or bool(names)
                    session = session or bool(names - {self.caller.principal_arn})
        return _Found(allow, deny, direct, session, tuple(doubts))

    def _applies(self, statement: Document) -> bool | None:
        if self.caller is not None and not is_meant(statement, self.caller):
            return False
        if not _matches(statement, "Action", self.need.action, lambda one, value: like(one.lower(), value.lower())):
            return False
        try:
            if self.caller is None or "Resource" in statement or "NotResource" in statement:
                match = _matches(statement, "Resource", self.need.resource, self._resource_like)
                if not match:
                    return False
        except UnknownVariableError:
            return None
        return holds(statement.get("Condition") or {}, self.context)

    def _resource_like(self, pattern: str, resource: str) -> bool:
        if resource == UNKNOWN:
            if pattern == "*":
                return True
            raise UnknownVariableError(pattern)
        return like(resolved(pattern, self.context), resource)

    def _doubt(self, statement: Document) -> str:
        conditions = statement.get("Condition") or {}
        what = unknown(conditions, self.context) or (
            "the resource of the call, which is not known here"
            if self.need.resource == UNKNOWN
            else "a policy variable of its resource"
        )
        return f"the {statement.get('Effect')} statement {statement.get('Sid') or '(without Sid)'} depends on {what}"


def statements(policy: Document) -> list[Document]:
    """The statements of a policy, which may be one or a list of them."""
    found = policy.get("Statement") or []
    return list(found) if isinstance(found, list) else [found]


def is_meant(statement: Document, caller: Caller) -> bool:
    """Whether the statement's principal is, or includes, the caller ("AWS JSON policy elements: Principal")."""
    if "NotPrincipal" in statement:
        return not any(_is_him(kind, one, caller) for kind, one in _principals(statement["NotPrincipal"]))
    return any(_is_him(kind, one, caller) for kind, one in _principals(statement.get("Principal")))


def _names_of(statement: Document, caller: Caller) -> set[str]:
    """The principals of an Allow that are the caller himself and not his account, which leaves it to his policies."""
    account = {caller.account_id, f"arn:aws:iam::{caller.account_id}:root"}
    found = {one for kind, one in _principals(statement.get("Principal")) if _is_him(kind, one, caller)}
    return found - account


def _principals(given: Any) -> Iterator[tuple[str, str]]:
    if isinstance(given, str):
        yield "*" if given == "*" else "AWS", given
    for kind, values in given.items() if isinstance(given, Mapping) else ():
        for one in values if isinstance(values, list) else [values]:
            yield kind, str(one)


def _is_him(kind: str, principal: str, caller: Caller) -> bool:
    if kind == "*" or (kind == "AWS" and principal == "*"):
        return True
    if caller.is_service:
        return kind == "Service" and principal == caller.name
    account = caller.account_id
    mine = {account, f"arn:aws:iam::{account}:root", caller.principal_arn, caller.name}
    return kind == "AWS" and principal in mine


def _matches(statement: Document, element: str, value: str, compare: Callable[[str, str], bool]) -> bool:
    """By an element or its ``Not...``."""
    if f"Not{element}" in statement:
        return not any(compare(one, value) for one in _texts(statement[f"Not{element}"]))
    return any(compare(one, value) for one in _texts(statement.get(element)))


def _texts(given: Any) -> list[str]:
    return [str(one) for one in given] if isinstance(given, list) else [] if given is None else [str(given)]
