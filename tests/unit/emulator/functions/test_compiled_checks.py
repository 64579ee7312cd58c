"""What is compiled for another Python, processor or system than loads it is found by its name or its wheel's tags."""

import pytest

from dlqlab.emulator.functions.compiled_checks import WHEEL, Target, misfit

LINUX = Target(version="3.12", machine="x86_64", system="linux")
ARM = Target(version="3.12", machine="aarch64", system="linux")
MAC = Target(version="3.12", machine="arm64", system="darwin")


@pytest.mark.parametrize(
    ("name", "target", "said"),
    [
        ("a/_b.cpython-312-x86_64-linux-gnu.so", LINUX, None),
        ("_b.cpython-312-aarch64-linux-gnu.so", ARM, None),
        ("_b.cpython-312-darwin.so", MAC, None),
        ("_b.abi3.so", LINUX, None),
        ("_b.cpython-312.so", LINUX, None),
        ("b.libs/libz.so.1", LINUX, None),
        ("lib/libfoo.1.so", LINUX, None),
        ("plain.so", LINUX, None),
        ("a/_b.cpython-313-x86_64-linux-gnu.so", LINUX, "Python 3.13 on x86_64-linux-gnu"),
        ("_b.cpython-39-x86_64-linux-gnu.so", LINUX, "Python 3.9 on x86_64-linux-gnu"),
        ("_b.cpython-312-aarch64-linux-gnu.so", LINUX, "Python 3.12 on aarch64-linux-gnu"),
        ("_b.cpython-312-x86_64-linux-gnu.so", ARM, "Python 3.12 on x86_64-linux-gnu"),
        ("_b.cpython-312-darwin.so", LINUX, "Python 3.12 on darwin"),
        ("_b.cp312-win_amd64.pyd", LINUX, "Python 3.12 on win_amd64"),
        ("_b.cpython-312t-x86_64-linux-gnu.so", LINUX, "Python 3.12 without a lock on x86_64-linux-gnu"),
    ],
)
def test_extension_modules(name: str, target: Target, said: str | None) -> None:
    """By PEP 3149; libraries that no module of Python are stay out of it."""
    assert misfit([name], {}, target) == (said and f"{name} is compiled for {said}")


def test_one_that_fits_among_several_is_enough() -> None:
    """Of the same module in the same folder only."""
    fat = ["a/_b.cpython-311-x86_64-linux-gnu.so", "a/_b.cpython-312-x86_64-linux-gnu.so"]
    other = ["a/_b.cpython-312-x86_64-linux-gnu.so", "c/_b.cpython-311-x86_64-linux-gnu.so"]

    assert misfit(fat, {}, LINUX) is None
    assert (
        misfit(other, {}, LINUX)
        == "c/_b.cpython-311-x86_64-linux-gnu.so is compiled for Python 3.11 on x86_64-linux-gnu"
    )


@pytest.mark.parametrize(
    ("tags", "target", "is_fit"),
    [
        (["py3-none-any"], LINUX, True),
        (["py2-none-any", "py3-none-any"], LINUX, True),
        (["cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64"], LINUX, True),
        (["cp39-abi3-manylinux2014_x86_64"], LINUX, True),
        (["py3-none-manylinux2014_aarch64"], ARM, True),
        (["cp312-cp312-macosx_11_0_arm64"], MAC, True),
        (["cp312-cp312-macosx_10_9_universal2"], MAC, True),
        (["cp313-abi3-manylinux2014_x86_64"], LINUX, False),
        (["cp313-cp313-manylinux2014_x86_64"], LINUX, False),
        (["cp312-cp312t-manylinux2014_x86_64"], LINUX, False),
        (["cp312-cp312-manylinux2014_aarch64"], LINUX, False),
        (["cp312-cp312-win_amd64"], LINUX, False),
        (["py3-none-macosx_11_0_arm64"], LINUX, False),
        (["py2-none-any"], LINUX, False),
        ([], LINUX, True),
    ],
)
def test_wheels(tags: list[str], target: Target, is_fit: bool) -> None:
    """By PEP 425: one of a wheel's tags must fit."""
    text = "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n" + "".join(f"Tag: {tag}\n" for tag in tags)
    found = misfit([], {"b-1.dist-info/WHEEL": text}, target)

    assert found == (None if is_fit else f"b-1.dist-info/WHEEL is of a wheel for {', '.join(tags)}")


def test_wheels_are_known_by_their_files() -> None:
    """At the top of a bundle or in a folder."""
    assert all(WHEEL.fullmatch(name) for name in ("a-1.dist-info/WHEEL", "python/a-1.dist-info/WHEEL"))
    assert not WHEEL.fullmatch("a-1.dist-info/METADATA")
