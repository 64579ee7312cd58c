"""All rules, in the order in which docs/lint.md lists them."""

from typing import Final

from dlqlab.lint import functions, mappings, queues, retries, volumes

RULES: Final = (*queues.RULES, *mappings.RULES, *functions.RULES, *retries.RULES, *volumes.RULES)
