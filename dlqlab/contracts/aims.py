"""Which calls and requests a fault from outside is meant for, by their names: for who strikes and who judges. Pure."""

import re

from dlqlab.contracts.injection import Fault, matches


def is_meant_call(fault: Fault, function: str, call: str, resource: str | None) -> bool:
    """Whether a fault is meant for a call.

    Args:
        fault: of a plan.
        function: that calls.
        call: as ``dynamodb:PutItem``.
        resource: what it is about, as a name, URL or ARN.
    """
    return (
        matches(fault.function, function)
        and matches(fault.operation, call)
        and (matches(fault.resource, resource or "") or matches(fault.resource, _name(resource)))
    )


def is_meant_request(fault: Fault, route: str) -> bool:
    """Whether a fault is meant for a route, as ``POST /prod/orders``; its pattern may leave out the stage."""
    method, _, path = route.partition(" ")
    without_stage = f"{method} /{path.lstrip('/').partition('/')[2]}"
    return matches(fault.route, route) or matches(fault.route, without_stage)


def _name(resource: str | None) -> str:
    """The last part of a URL or ARN."""
    return re.split(r"[/:]", resource or "")[-1]
