"""The catalogue of services goes from one emulator to the next."""

from pathlib import Path

from dlqlab.emulator.host.service_catalog_cache import give, keep

NAME = "service-catalog-4_14_0-1_42_54.dill"
CACHE = Path("filesystem", "var", "lib", "localstack", "cache")


def test_catalogue_of_an_emulator_is_given_to_the_next(tmp_path: Path) -> None:
    """What one emulator has made the next one finds in its cache, and nothing else."""
    first, second, kept = (tmp_path / name for name in ("first", "second", "kept"))
    (first / CACHE).mkdir(parents=True)
    (first / CACHE / NAME).write_bytes(b"catalogue")
    (first / CACHE / "other").write_bytes(b"other")
    keep(first, kept)
    give(second, kept)

    assert b"catalogue" == (second / CACHE / NAME).read_bytes()
    assert [NAME] == [path.name for path in (second / CACHE).iterdir()]


def test_kept_catalogue_stays_as_it_is(tmp_path: Path) -> None:
    """One of the same versions is not written again."""
    state, kept = tmp_path / "state", tmp_path / "kept"
    (state / CACHE).mkdir(parents=True)
    (state / CACHE / NAME).write_bytes(b"second")
    kept.mkdir()
    (kept / NAME).write_bytes(b"first")
    keep(state, kept)

    assert b"first" == (kept / NAME).read_bytes()


def test_first_emulator_of_a_checkout_starts_without(tmp_path: Path) -> None:
    """Nothing kept, nothing given; nothing made, nothing kept."""
    give(tmp_path / "state", tmp_path / "kept")
    keep(tmp_path / "state", tmp_path / "kept")

    assert [] == list(tmp_path.iterdir())
