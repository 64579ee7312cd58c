"""How many batches of an SQS queue Lambda runs at once."""

from typing import Final

STARTING_POLLERS: Final = 5
"""With which it starts (AWS Lambda developer guide, "Configuring scaling behavior for SQS event source mappings")."""
