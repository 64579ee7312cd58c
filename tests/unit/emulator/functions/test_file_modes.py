"""The files of a bundle keep the modes of their archive, and can be read."""

from pathlib import Path

from dlqlab.emulator.functions.file_modes import make_readable


def test_modes_stay_but_for_what_the_emulator_needs_itself(tmp_path: Path) -> None:
    """To read files and to look into folders."""
    modes = {"bootstrap": 0o755, "data": 0o644, "hidden": 0o000, "folder/script": 0o100}
    for name, mode in modes.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "folder").chmod(0o500)
    make_readable(str(tmp_path), 0o755)

    found = {name: (tmp_path / name).stat().st_mode & 0o777 for name in modes}
    assert {"bootstrap": 0o755, "data": 0o644, "hidden": 0o400, "folder/script": 0o500} == found
    assert 0o755 == (tmp_path / "folder").stat().st_mode & 0o777
