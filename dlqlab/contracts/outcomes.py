"""How a request ended for the client that sent a task: the ledger's column ``outcome``."""

from typing import Final

ACKNOWLEDGED: Final = "acknowledged"  # 202: taken
REPLAYED: Final = "replayed"  # 200: taken before
REJECTED: Final = "rejected"  # an answer that says that it is not taken
REFUSED: Final = "refused"  # 503: not taken, to be tried again
UNKNOWN: Final = "unknown"  # no answer was seen: it may be taken

TAKEN: Final = frozenset({ACKNOWLEDGED, REPLAYED})
NOT_TAKEN: Final = frozenset({REJECTED, REFUSED})
