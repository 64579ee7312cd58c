"""Patches are named, described and guarded."""

from pathlib import Path

import pytest

from dlqlab.emulator import patches, pins
from dlqlab.emulator.host import fidelity_card
from dlqlab.emulator.patches import ALL, PATCHES, PatchError, apply, check_pins, named
from dlqlab.emulator.pins import Difference, Pin

CHANGED = Difference(Pin("localstack.utils.strings:long_uid", "000000000000", ("gateway.ids",)), "93ecee00b9ed")
GONE = Difference(Pin("localstack.utils.strings:medium_uid", "000000000000", ("gateway.ids",)), None)


def test_changed_source_is_refused_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a patch would change and that is not as expected is named, with the remedy."""
    monkeypatch.setattr(pins, "unlike_loaded", lambda: [CHANGED, GONE])
    with pytest.raises(
        PatchError,
        match=r"patch p: localstack\.utils\.strings\.long_uid has changed \(fingerprint 93ecee00b9ed, expected 0+\); "
        r"localstack\.utils\.strings\.medium_uid is gone; start without p",
    ):
        check_pins(about="patch p: ", remedy="start without p")


def test_unchanged_source_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing differs, nothing is raised, and the patch of that name is the one that is applied."""
    monkeypatch.setattr(pins, "unlike_loaded", list)
    check_pins()

    assert ["ids_without_system_calls"] == [
        patch.name for patch in PATCHES if patch == named("ids_without_system_calls")
    ]


def test_changed_source_stops_a_patch_before_it_changes_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the patch and how to start without it."""
    answers = iter([[], [CHANGED]])
    monkeypatch.setattr(pins, "unlike_loaded", lambda: next(answers))
    applied: list[str] = []
    monkeypatch.setattr("dlqlab.emulator.gateway.header_lookup.patch", lambda: applied.append("header_lookup"))
    with pytest.raises(PatchError, match=r"patch header_lookup: .*--without-patch header_lookup"):
        apply(("header_lookup",))

    assert [] == applied


def test_unknown_patch_is_refused_before_any_is_applied() -> None:
    """A misspelt name is an error that lists the names there are."""
    with pytest.raises(PatchError, match="no patch named nope: there are visibility_timers"):
        apply(("nope",))


def test_names_are_distinct() -> None:
    """One name switches one patch."""
    assert len(set(ALL)) == len(ALL)


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_every_patch_says_what_it_changes(patch: patches.Patch) -> None:
    """Its summary is a sentence for the fidelity card, with which its module begins too."""
    path = Path(patches.__file__).parent.joinpath(*patch.folder.split("."), f"{patch.name}.py")
    source = path.read_text()

    assert patch.summary.endswith(".")
    assert source.startswith(f'"""{patch.summary}\n')
    assert "\ndef patch() -> None:\n" in source


def test_every_module_that_patches_is_declared() -> None:
    """A patch that nobody lists would never be applied."""
    folder = Path(patches.__file__).parent
    found = {path for path in folder.rglob("*.py") if "\ndef patch() -> None:" in path.read_text()}

    assert {folder.joinpath(*patch.folder.split("."), f"{patch.name}.py") for patch in PATCHES} == found


def test_every_known_difference_is_a_sentence() -> None:
    """The card's other entries say something too."""
    assert all(len(text) > 20 for text in fidelity_card.DIFFERENCES.values())
