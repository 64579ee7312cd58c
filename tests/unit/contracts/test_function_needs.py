"""What the project file says for functions: layers and network, how what makes no sense is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dlqlab.contracts.function_needs import endpoint_problem, is_path
from dlqlab.contracts.project import Project, find_project, read_project
from dlqlab.errors import UsageError

ARN = "arn:aws:lambda:*:123456789012:layer:tools:*"


@pytest.fixture
def parse(tmp_path: Path) -> Callable[[str], Project]:
    """Reads a project file of a text."""

    def read(text: str) -> Project:
        path = tmp_path / "dlqlab.toml"
        path.write_text(text)
        return read_project(path)

    return read


def test_layers_and_network_are_read(parse: Callable[[str], Project]) -> None:
    """Layers by patterns of ARNs, addresses in their order."""
    project = parse(
        f'[layers]\n"{ARN}" = "requests[socks]==2.32.5 idna>=3"\n'
        '[network]\nallow = ["*.example.com:443", "10.0.0.1:*"]\n'
    )

    assert project.layers == {ARN: "requests[socks]==2.32.5 idna>=3"}
    assert project.network.allow == ("*.example.com:443", "10.0.0.1:*")


def test_empty_file_is_a_project(parse: Callable[[str], Project]) -> None:
    """Nothing in it is needed."""
    project = parse("")

    assert ({}, ()) == (project.layers, project.network.allow)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[layer]\n", "layer is not known: give name, "),
        ("[network]\nalow = []\n", "network.alow is not known: give allow"),
        ('[network]\nallow = "a:1"\n', "network.allow is 'a:1': give a list"),
        ('[network]\nallow = ["a:1", "b"]\n', "network.allow[1] is 'b': give \"HOST:PORT\""),
        ('[network]\nallow = ["a:70000"]\n', "network.allow[0] is 'a:70000'"),
        ('[network]\nallow = ["http://a:80"]\n', "network.allow[0] is 'http://a:80'"),
        ('[layers]\ntools = "requests"\n', 'layers."tools" is no ARN of a layer: give "arn:aws:lambda:'),
        (f'[layers]\n"{ARN}" = 3\n', f"layers.{ARN} is 3: give a text"),
        (f'[layers]\n"{ARN}" = "a ==1"\n', f"layers.\"{ARN}\" is 'a ==1': give a requirement of PyPI"),
        (f'[layers]\n"{ARN}" = "npm:"\n', f"layers.\"{ARN}\" is 'npm:'"),
        ("[layers\n", "is not TOML"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(text: str, said: str, parse: Callable[[str], Project]) -> None:
    """File, field, value and remedy."""
    with pytest.raises(UsageError) as refused:
        parse(text)

    assert f"dlqlab.toml: {said}" in str(refused.value)


@pytest.mark.parametrize("good", ["a:1", "*:*", "[::1]:80", "10.0.0.1:65535", "*.b.c:443"])
def test_addresses(good: str) -> None:
    """Host and port, either with ``*``."""
    assert endpoint_problem(good) is None


def test_paths_are_told_from_requirements() -> None:
    """By how they begin, or as zip files."""
    assert all(map(is_path, ("./layer", "../x", "/srv/layer", "~/layer", "layer.zip")))
    assert not any(map(is_path, ("requests", "npm:@scope/name", "a[b]>=1")))


def test_file_is_found_from_a_folder_up_to_the_repositorys_root(tmp_path: Path) -> None:
    """The nearest counts; none outside of the repository."""
    inner = tmp_path / "repository" / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "dlqlab.toml").write_text("")
    (tmp_path / "repository" / ".git").mkdir()

    assert find_project(inner) is None
    (tmp_path / "repository" / "dlqlab.toml").write_text("[network]\n")
    assert find_project(inner) == tmp_path / "repository" / "dlqlab.toml"
    (inner / "dlqlab.toml").write_text("[nothing]\n")
    assert find_project(inner) == inner / "dlqlab.toml"
    with pytest.raises(UsageError, match=r"dlqlab\.toml: nothing is not known"):
        read_project(inner / "dlqlab.toml")
