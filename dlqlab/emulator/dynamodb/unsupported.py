"""The one way in which the fast path declines a request."""


class UnsupportedError(Exception):
    """The request needs something that the fast path does not do, or is wrong; nothing has been changed."""
