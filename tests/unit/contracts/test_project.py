"""The project file: what it may say, and what is said of what it may not."""

from pathlib import Path

import pytest

from dlqlab import paths
from dlqlab.contracts.project import FILE, Project, Tool, find_project, read_project
from dlqlab.errors import UsageError


def read(tmp_path: Path, text: str) -> Project:
    path = tmp_path / FILE
    path.write_text(text)
    return read_project(path)


def test_file_says_only_what_differs(tmp_path: Path) -> None:
    """All else has its default; the name is the folder's."""
    project = read(tmp_path, '[entry]\nqueue = "orders"\n[promise]\nbackoff_s = [2, 4]\n[load]\ntasks = 50\n')

    assert (tmp_path.name, "queue", "orders") == (project.name, project.entry.kind, project.entry.name)
    assert (2.0, 4.0, 4.0) == tuple(project.promise.wait_s(n) for n in (1, 2, 3))
    assert (50, 8) == (project.load.load().tasks, project.load.load().users)
    assert project.deploy.tool is Tool.NONE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[entry", "is not TOML"),
        ("[enter]", r"enter is not known: give name, seed, deploy, entry"),
        ('[deploy]\ntool = "make"', r"deploy\.tool is 'make': give one of sam, cdk"),
        ('[deploy]\ntool = "command"', r"deploy\.command is missing: give the command's words"),
        ('[entry]\nhttp = "/orders"', r"entry\.http is '/orders': give a method and a path"),
        ('[entry]\nqueue = "a"\ntopic = "b"', "entry gives queue and topic: give one of them"),
        ("[load]\ntasks = 0", r"load\.tasks is 0: give 1 to 10000000"),
        ("[promise]\nfailure_rate = 3.0", r"promise\.failure_rate is 3\.0: give a ratio of 0 to 1"),
        ('[effects]\ncalls = ["PutItem"]', r"effects\.calls holds 'PutItem': give it as 'dynamodb:PutItem bills'"),
        ('[load]\nlocustfile = "mine.py"', r"load\.locustfile is 'mine\.py': there is no such file"),
        ('[task]\nkey = "order."', r"task\.key is 'order\.': give a JMESPath"),
        ('[done]\ntable = "a"', r"done\.values is missing: give the states"),
        ('[done]\ntable = "a"\nqueue = "b"', "done gives table and queue: give one of them"),
        ('[done]\nhttp = "GET /orders"\nvalues = ["done"]', r"done\.http is 'GET /orders': give a method and a path"),
        ('[done]\nvalues = ["done"]', "done says not where: give one of table, http, queue"),
        ('[effects]\ncompare = ["orders"]', r"effects\.compare holds 'orders': give it as 'dynamodb orders'"),
        ("[drain]\ndeadline_s = 0", r"drain\.deadline_s is 0"),
    ],
)
def test_what_cannot_be_is_named_with_its_remedy(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(tmp_path, text)


def test_file_is_found_from_below_and_not_beyond_the_repository(tmp_path: Path) -> None:
    inner = tmp_path / "repository" / "src"
    inner.mkdir(parents=True)
    (tmp_path / FILE).write_text("")
    assert find_project(inner) == tmp_path / FILE

    (tmp_path / "repository" / ".git").mkdir()
    assert find_project(inner) is None
    (tmp_path / "repository" / FILE).write_text("")
    assert find_project(inner) == tmp_path / "repository" / FILE


def test_page_names_every_field() -> None:
    """docs/project-file.md is a table of all that a file may say: it is made from the code."""
    from dlqlab.reference import project_file  # noqa: PLC0415  (imports the commands)

    assert (paths.DOCS / "project-file.md").read_text() == project_file.page()
