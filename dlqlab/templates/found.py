"""Which files are meant: a template, a plan, the output of a tool, or a folder that has one of them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlqlab.errors import UsageError
from dlqlab.templates import cloudformation, terraform
from dlqlab.templates.resources import Template

SERVERLESS = "cloudformation-template-update-stack.json"
_SHAPES = (AttributeError, IndexError, KeyError, TypeError)
"""What a file that a tool writes ends in where somebody changed its shape."""
_OUTPUTS = ("cdk.out", ".serverless")


def read(path: Path) -> Template:
    """A template or a plan of Terraform.

    Raises:
        UsageError: it cannot be read, or is neither.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is no text: give a template, or a plan as terraform show -json prints it") from error
    if text.lstrip().startswith("{"):
        body = _json(text)
        if terraform.is_plan(body):
            return _planned(body, path)
    return cloudformation.parse(text, path)


def _planned(body: Mapping[str, Any], path: Path) -> Template:
    try:
        return terraform.of_plan(body, path)
    except _SHAPES as error:
        raise UsageError(f"{path}: is not as terraform show -json prints a plan: {error!r}: write it anew") from error


def outputs(folder: Path) -> list[Path]:
    """The templates that a tool wrote into a folder, ``cdk.out`` or ``.serverless``, or one that has either.

    None where there are none: what else lies in the folder is not looked at.
    """
    if (folder / SERVERLESS).is_file():
        return [folder / SERVERLESS]
    manifest = folder / "manifest.json"
    if manifest.is_file():
        try:
            return _of_cdk(folder, manifest)
        except _SHAPES as error:
            raise UsageError(f"{manifest}: is not as cdk synth writes it: {error!r}: write it anew") from error
    return next((found for name in _OUTPUTS if (found := outputs(folder / name))), []) if folder.is_dir() else []


def _of_cdk(folder: Path, manifest: Path) -> list[Path]:
    """The stacks of a cloud assembly, those of its stages too."""
    body = _json(manifest.read_text(encoding="utf-8"))
    artifacts = (body.get("artifacts") if isinstance(body, Mapping) else None) or {}
    found: list[Path] = []
    for one in artifacts.values():
        given = one.get("properties") or {}
        if one.get("type") == "aws:cloudformation:stack":
            found.append(folder / given["templateFile"])
        elif one.get("type") == "cdk:cloud-assembly":
            found += outputs(folder / given["directoryName"])
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None  # whoever parses it says what is wrong
