"""All rules, in the order in which docs/lint.md lists them."""

from typing import Final

from dlqlab.lint import functions, mappings, queues, retries, shape, volumes

RULES: Final = (*queues.RULES, *mappings.RULES, *functions.RULES, *retries.RULES, *volumes.RULES)
TOPOLOGY_RULES: Final = shape.RULES
"""Those about how a pipeline hangs together."""
