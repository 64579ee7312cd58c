"""Faults from outside strike messages, invocations, calls and requests, where a plan is put in force.

The plan comes and goes by HTTP, on the path of ``contracts.injection``; it is of the emulator, and nothing of it is
kept when that ends.
"""

import json
from typing import Any

from localstack.http import Request, Response
from localstack.services.edge import ROUTER

from dlqlab.contracts.injection import PLAN_PATH, Plan
from dlqlab.contracts.plain import ShapeError, from_plain, to_plain
from dlqlab.emulator.injection import calls, connections, invocations, queues, requests, stops
from dlqlab.emulator.injection.state import HOLDER, InForce


def patch() -> None:
    invocations.install()
    calls.install()
    requests.install()
    connections.install()
    queues.install()
    ROUTER.add(PLAN_PATH, _serve, methods=["GET", "PUT", "DELETE"])


def _serve(request: Request, **_parameters: Any) -> Response:
    if request.method == "PUT":
        try:
            plan = from_plain(Plan, json.loads(request.data))
            in_force = InForce(plan)
        except (ValueError, ShapeError) as error:
            return Response.for_json({"message": str(error)}, status=400)
        HOLDER.in_force = in_force if plan.faults else None
        stops.plan(in_force)
    if request.method == "DELETE":
        before, HOLDER.in_force = HOLDER.in_force, None
        return Response.for_json(_told(before))
    return Response.for_json(_told(HOLDER.in_force))


def _told(in_force: InForce | None) -> dict[str, Any]:
    return {
        "plan": to_plain(in_force.plan if in_force else Plan()),
        "struck": in_force.counts() if in_force else {},
    }
