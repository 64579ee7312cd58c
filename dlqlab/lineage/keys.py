"""A task's key: what a JMESPath finds in a body, whatever it was delivered in."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import jmespath
import jmespath.exceptions

from dlqlab.lineage.contents import content_of

type KeyOf = Callable[[str], str | None]
"""The key that a body has; None where it has none."""


def key_finder(path: str | None, *, mask: str | None = None) -> KeyOf:
    """Finds keys in bodies.

    Args:
        path: a JMESPath into the content of bodies (``contents``), as ``taskId`` or ``order.id || id``; without one no
            body has a key.
        mask: what stands in the place of what was taken out of a body; a key that has it in it is none.

    Raises:
        ValueError: the path is no JMESPath.
    """
    if path is None:
        return lambda _body: None
    compiled = jmespath.compile(path)

    def key_of(body: str) -> str | None:
        try:
            key = _text(compiled.search(content_of(body)))
        except jmespath.exceptions.JMESPathError:
            return None  # a function of the path does not take what stands in this body
        return None if key and mask and mask in key else key

    return key_of


def content_hash(body: str) -> str:
    """The same for all copies of a content, in whatever envelope each of them is."""
    content = content_of(body)
    text = content if isinstance(content, str) else json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _text(value: Any) -> str | None:
    """A key as text: one that is a number as JSON writes it; what is neither is none."""
    if isinstance(value, str):
        return value or None
    return json.dumps(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
