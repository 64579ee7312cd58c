"""Headers of requests and answers are looked up without writing every name in lower case.

werkzeug compares names by their lower case, and says that a header is missing by an exception that it catches itself.
API Gateway asks some forty times a request. What is found is the same: names of another length are other names.
"""

from typing import Any

from werkzeug.datastructures import Headers


def place(items: list[tuple[str, str]], key: str) -> int:
    """Where the first header with this ASCII name stands; -1 where there is none."""
    size, lower = len(key), ""
    for number, (name, _) in enumerate(items):
        if len(name) == size:
            if name == key:
                return number
            lower = lower or key.lower()
            if name.lower() == lower:
                return number
    return -1


def patch() -> None:
    # Directly and not by LocalStack's patch, whose proxy costs as much as a look-up.
    for name, make in (("get", _get), ("__contains__", _contains), ("set", _set)):
        setattr(Headers, name, make(getattr(Headers, name)))


def _get(original: Any) -> Any:
    def get(self: Headers, key: str, default: Any = None, type: Any = None) -> Any:  # noqa: A002  (werkzeug's signature)
        # Subclasses keep theirs elsewhere; of other letters the lower case may be longer.
        if self.__class__ is not Headers or not key.isascii() or type is not None:
            return original(self, key, default, type)
        at = place(self._list, key)
        return default if at < 0 else self._list[at][1]

    return get


def _contains(original: Any) -> Any:
    def contains(self: Headers, key: str) -> bool:
        if self.__class__ is not Headers or not key.isascii():
            return bool(original(self, key))
        return place(self._list, key) >= 0

    return contains


def _set(original: Any) -> Any:
    def set_(self: Headers, key: str, value: Any, /, **kwargs: Any) -> None:
        # Where the name is new there is nothing to replace.
        if self.__class__ is Headers and not kwargs and key.isascii() and place(self._list, key) < 0:
            self.add(key, value)
        else:
            original(self, key, value, **kwargs)

    return set_
