"""What is wrong with a query, and where."""


class MalformedQueryError(ValueError):
    """The query cannot be answered as it stands. Offsets count characters of the query, the end is exclusive."""

    def __init__(self, message: str, start: int = 0, end: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
