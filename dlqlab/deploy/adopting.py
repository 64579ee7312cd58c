"""A project file for a repository that has none: what can be seen is written, what cannot is a question in the file."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dlqlab.contracts.project import Entry, Project, Tool

_DEPTH_MAX = 3
_SKIPPED = frozenset({"node_modules", ".git", ".venv", "venv", "cdk.out", ".aws-sam", ".serverless", ".dlqlab", "runs"})


def recognised(root: Path) -> list[tuple[Tool, Path]]:
    """The tools that deploy something here, each with its folder, those nearest to the root first."""
    found: list[tuple[Tool, Path]] = []
    for folder in _folders(root):
        found += [(tool, folder) for tool, is_of in _MARKS.items() if is_of(folder)]
    return found


def project_text(root: Path, found: list[tuple[Tool, Path]], deployed: Sequence[Entry] = ()) -> str:
    """The text of ``dlqlab.toml``: the first tool that was found, the others as remarks.

    ``deployed`` are ways into what an emulator has, which may be another project's: they are remarks too.
    """
    defaults = Project()
    tool, folder = found[0] if found else (Tool.NONE, root)
    lines = [
        "# What dlqlab has to know about this pipeline: docs/project-file.md. Nothing else of dlqlab is needed here.",
        f"name = {json.dumps(root.resolve().name)}",
        "",
        "[deploy]",
        f'tool = "{tool}"' + ("" if found else "  # QUESTION: what deploys it? " + ", ".join(Tool)),
    ]
    if folder != root:
        lines.append(f"folder = {json.dumps(folder.relative_to(root).as_posix())}")
    if tool is Tool.CLOUDFORMATION:
        lines.append(f"template = {json.dumps(template_names(folder)[0])}")
    lines += [f"# found too: {other} in {place.relative_to(root).as_posix()}" for other, place in found[1:]]
    lines += ["", "[entry]", *_entry_lines(deployed), f"body = '{defaults.entry.body}'"]
    lines += [
        "# {{key}} is the task's key, unique for each; fakes: {{n}} {{int 1 12}} {{float 1 9}} {{choice a b}} {{name}}",
        "# {{word}} {{uuid}} {{text 200}}",
        "",
        "[task]",
        "# accepted = [202]      # HTTP statuses that say that a request is taken; every 2xx by default",
        '# key = "order.id"     # where bodies have its key, if that is not {{key}}',
        "",
        "# [done]                 # when a task has ended: by its state in a table, or http = ..., or queue = ...",
        '# table = "orders"',
        '# status = "status"',
        '# values = ["done", "failed"]',
        "",
        "[promise]                # what is promised is checked, all else is told as it is seen",
        "# attempts = 3",
        "# backoff_s = [2, 4]     # how long a message waits after its first failure, after its second ...",
        "# failure_rate = 0.0",
        "# dead_letter_rate = 0.0",
        "# completes_within_s = 60",
        "",
        "# [effects]              # calls of functions that are the work itself, at most once for each task",
        '# calls = ["dynamodb:PutItem bills"]',
        "",
        "[load]",
        f"tasks = {defaults.load.tasks}",
        f"rate_per_s = {defaults.load.rate_per_s:g}",
        "",
        "[drain]",
        "deadline_s = 120         # how long a run waits for empty queues",
    ]
    return "\n".join(lines) + "\n"


def _entry_lines(deployed: Sequence[Entry]) -> list[str]:
    return [
        "# Where do messages come in? The only way in that is deployed is taken; where there are several, give one.",
        '# http = "POST /orders"',
        '# queue = "orders"',
        '# topic = "orders"',
        '# bus = "default"',
        '# bucket = "uploads"',
        *(f"# deployed on the emulator that runs: {one.kind} = {json.dumps(one.name)}" for one in deployed),
    ]


def _folders(root: Path) -> list[Path]:
    found = [root]
    for folder in found:
        if len(folder.relative_to(root).parts) < _DEPTH_MAX:
            inner = sorted(one for one in folder.iterdir() if one.is_dir() and one.name not in _SKIPPED)
            found += [one for one in inner if not one.is_symlink()]
    return found


def template_names(folder: Path) -> list[str]:
    """Names of the CloudFormation templates in a folder, that of SAM's usual name first."""
    names = sorted(path.name for path in folder.iterdir() if path.suffix in {".yaml", ".yml", ".json"})
    return sorted(
        (name for name in names if _is_template(folder / name)), key=lambda name: not name.startswith("template")
    )


def _is_template(path: Path) -> bool:
    text = _text(path)
    return "AWS::" in text and "Resources" in text


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""  # not ours to judge: it is no template that we can read


def _has_sam(folder: Path) -> bool:
    return any("AWS::Serverless" in _text(folder / name) for name in template_names(folder))


def _has_cloudformation(folder: Path) -> bool:
    others = (_has_sam, lambda one: (one / "cdk.json").is_file(), _has_serverless, _has_chalice)
    return bool(template_names(folder)) and not any(is_of(folder) for is_of in others)


def _has_serverless(folder: Path) -> bool:
    return any((folder / f"serverless.{ending}").is_file() for ending in ("yml", "yaml", "json", "ts", "js"))


def _has_chalice(folder: Path) -> bool:
    return (folder / ".chalice" / "config.json").is_file()


_MARKS: Mapping[Tool, Callable[[Path], bool]] = {
    Tool.SAM: _has_sam,
    Tool.CDK: lambda folder: (folder / "cdk.json").is_file(),
    Tool.SERVERLESS: _has_serverless,
    Tool.CHALICE: _has_chalice,
    Tool.TERRAFORM: lambda folder: any(folder.glob("*.tf")),
    Tool.CLOUDFORMATION: _has_cloudformation,
}
