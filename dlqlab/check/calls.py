"""Calls that policies allow, of services that are not there: they fail when they are made."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from dlqlab.check.finding import Finding, Weight
from dlqlab.emulator.settings import SERVICES
from dlqlab.templates.resources import Resource, Template

_POLICIES: Final = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::Serverless::Function")
_SERVICE_OF: Final[Mapping[str, str]] = {"states": "stepfunctions", "execute-api": "apigateway"}
"""Prefixes of actions that are not called as their service is (Service Authorization Reference)."""
_OF_THE_HOUSE: Final = frozenset({"xray", "tag", "kafka-cluster", "ssmmessages", "ec2messages", "ecr"})
"""Prefixes of what needs no service of its own here: traces, and what only AWS's agents call."""


def of_calls(template: Template) -> Iterator[Finding]:
    """A finding for each service that a policy lets somebody call and that the emulator does not serve."""
    for one in template.of(*_POLICIES):
        for service, actions in sorted(_missing(one).items()):
            yield Finding(
                rule="service",
                weight=Weight.DIFFERS,
                resource=one,
                what=f"Action {', '.join(sorted(actions))}",
                why=f"the emulator does not serve {service}: such a call fails",
                remedy="Leave the call out where AWS_ENDPOINT_URL is set, or point its client to a stand-in of yours",
            )


def _missing(one: Resource) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for action in _actions([one.at("PolicyDocument"), one.at("Policies")]):
        prefix, colon, _ = action.partition(":")
        service = _SERVICE_OF.get(prefix, prefix)
        if colon and prefix.islower() and service not in SERVICES and prefix not in _OF_THE_HOUSE:
            found.setdefault(service, set()).add(action)
    return found


def _actions(value: Any) -> Iterator[str]:
    """The actions of all statements within that allow."""
    if isinstance(value, list):
        for one in value:
            yield from _actions(one)
    elif isinstance(value, Mapping):
        given = value.get("Action") if value.get("Effect") == "Allow" else None
        yield from (one for one in (given if isinstance(given, list) else [given]) if isinstance(one, str))
        for one in value.values():
            yield from _actions(one)
