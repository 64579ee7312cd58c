"""All checks of a template."""

import platform
import sys
from collections.abc import Mapping

from dlqlab.check.calls import of_calls
from dlqlab.check.deliveries import of_deliveries
from dlqlab.check.finding import Finding, Weight
from dlqlab.check.functions import Machine, of_functions, this_machine
from dlqlab.check.streams import of_streams
from dlqlab.check.types import of_events, of_types
from dlqlab.emulator.functions.compiled_checks import Target
from dlqlab.emulator.runtime.interpreters import own
from dlqlab.templates.resources import Template


def check(template: Template, layers: Mapping[str, str], machine: Machine | None = None) -> list[Finding]:
    """What of a template the emulator refuses, then what it does otherwise.

    Args:
        template: what is to be deployed.
        layers: of the project file, what stands in for a layer of another account.
        machine: what functions will find; default: this machine.
    """
    target = Target(version=own().version, machine=platform.machine().lower(), system=sys.platform)
    finds = machine or this_machine(template, target)
    found = [
        *of_types(template),
        *of_events(template),
        *of_functions(template, finds, layers),
        *of_streams(template),
        *of_deliveries(template),
        *of_calls(template),
    ]
    return sorted(found, key=lambda one: list(Weight).index(one.weight))
