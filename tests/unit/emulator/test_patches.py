"""Patches are named, described and guarded."""

import pytest

from dlqlab.emulator import fidelity
from dlqlab.emulator.patches import ALL, PatchError, apply, expect, fingerprint, summary


def _some_function() -> int:
    return 1


def test_changed_function_is_refused_and_named() -> None:
    """A function whose source is not the expected one stops the patch with its name."""
    with pytest.raises(PatchError, match=r"patch p: .*_some_function has changed .*--without-patch p"):
        expect("p", _some_function, "000000000000")


def test_unchanged_function_is_accepted() -> None:
    """The fingerprint of a function accepts that function."""
    expect("p", _some_function, fingerprint(_some_function))

    assert 12 == len(fingerprint(_some_function))


def test_unknown_patch_is_refused_before_any_is_applied() -> None:
    """A misspelt name is an error that lists the names there are."""
    with pytest.raises(PatchError, match="no patch named nope: there are exact_visibility"):
        apply(("nope",))


@pytest.mark.parametrize("name", ALL)
def test_every_patch_says_what_it_changes(name: str) -> None:
    """The first line of each patch's docstring is a sentence for the fidelity card."""
    assert summary(name).endswith(".")


def test_every_known_difference_is_a_sentence() -> None:
    """The card's other entries say something too."""
    assert all(len(text) > 20 for text in fidelity.DIFFERENCES.values())
