"""The code of a version that was replaced stays until its last invocation has ended."""

from dataclasses import dataclass

from dlqlab.emulator.functions.version_updates import CodeInUse


@dataclass(frozen=True)
class Code:
    """An archive, as far as the patch looks at it."""

    id: str


def test_unused_code_is_deleted_at_once() -> None:
    """Nobody is waited for, also where others are used."""
    in_use, deleted = CodeInUse(), []
    with in_use.held(Code("other")):
        in_use.delete(Code("a"), lambda: deleted.append("a"))

        assert ["a"] == deleted


def test_used_code_is_deleted_after_its_last_user() -> None:
    """Once, with the last of several."""
    in_use, deleted = CodeInUse(), []
    with in_use.held(Code("a")):
        with in_use.held(Code("a")):
            in_use.delete(Code("a"), lambda: deleted.append("a"))
            in_use.delete(Code("a"), lambda: deleted.append("a"))
        assert [] == deleted

    assert ["a"] == deleted
    with in_use.held(Code("a")):
        pass
    assert ["a"] == deleted
