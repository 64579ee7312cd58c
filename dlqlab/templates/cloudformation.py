"""Templates of CloudFormation and SAM: YAML with its short forms, or JSON."""

import importlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlqlab.errors import UsageError
from dlqlab.templates.intrinsics import Values
from dlqlab.templates.resources import FUNCTIONS, Resource, Template

_ASSET = "aws:asset:path"


def parse(text: str, file: Path) -> Template:
    """The resources of a template; those whose condition does not hold are left out.

    Raises:
        UsageError: it is no template; names the file and, where known, the line.
    """
    body, lines = document(text, file)
    declared = body.get("Resources") if isinstance(body, Mapping) else None
    if not isinstance(declared, Mapping) or not declared:
        raise UsageError(f"{file}: has no Resources: give a template of CloudFormation or SAM, or a plan of Terraform")
    values = _values(body, declared)
    shared = values.resolve(_section(_section(body, "Globals"), "Function"))
    found = []
    for logical_id, one in declared.items():
        if str(logical_id).startswith("Fn::"):
            raise UsageError(
                f"{file}: Resources.{logical_id} is a macro, which is not run: give the processed template"
            )
        if not isinstance(one, Mapping) or not isinstance(one.get("Type"), str):
            raise UsageError(f"{file}: Resources.{logical_id} has no Type: give one, such as AWS::SQS::Queue")
        if "Condition" not in one or values.holds(one["Condition"]) is not False:
            found.append(_resource(logical_id, one, values, shared, file, lines.get(logical_id)))
    return Template(file=file, resources=tuple(found))


def document(text: str, file: Path) -> tuple[Any, dict[str, int]]:
    """What a template says, and the line of each resource by its logical id.

    Raises:
        UsageError: it is neither JSON nor YAML; names the file and the line.
    """
    return _json(text, file) if text.lstrip().startswith("{") else _yaml(text, file)


def _section(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}


def _values(body: Mapping[str, Any], declared: Mapping[str, Any]) -> Values:
    parameters = _section(body, "Parameters")
    return Values(
        parameters={
            name: one["Default"]
            for name, one in parameters.items()
            if isinstance(one, Mapping) and "Default" in one and "AWS::SSM" not in str(one.get("Type"))
        },
        mappings=_section(body, "Mappings"),
        conditions=_section(body, "Conditions"),
        resources=frozenset(map(str, declared)),
    )


def _resource(
    logical_id: str, one: Mapping[str, Any], values: Values, shared: Any, file: Path, line: int | None
) -> Resource:
    properties = values.resolve(one.get("Properties") or {})
    properties = properties if isinstance(properties, Mapping) else {}
    if one["Type"] == "AWS::Serverless::Function" and isinstance(shared, Mapping):
        properties = _merged(shared, properties)
    code = _code(properties, one.get("Metadata") or {}, file) if one["Type"] in FUNCTIONS else None
    return Resource(logical_id=logical_id, type=one["Type"], properties=properties, file=file, line=line, code=code)


def _merged(shared: Any, own: Any) -> Any:
    """SAM: maps are merged, lists are put together, anything else of the function replaces ("Globals section")."""
    if isinstance(shared, Mapping) and isinstance(own, Mapping):
        return {**shared, **{name: _merged(shared.get(name), value) for name, value in own.items()}}
    if isinstance(shared, list) and isinstance(own, list):
        return [*shared, *own]
    return own


def _code(properties: Mapping[str, Any], metadata: Any, file: Path) -> Path | None:
    asset = metadata.get(_ASSET) if isinstance(metadata, Mapping) else None
    given = asset or properties.get("CodeUri") or properties.get("Code")
    if not isinstance(given, str) or "://" in given:
        return None
    path = file.parent / given
    return path if path.exists() else None


def _json(text: str, file: Path) -> tuple[Any, dict[str, int]]:
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{file}:{error.lineno}: is not JSON: {error.msg}") from error
    resources = body.get("Resources") if isinstance(body, Mapping) else None
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*"([A-Za-z0-9]+)"\s*:\s*\{', line)
        if found and isinstance(resources, Mapping) and found[1] in resources:
            lines.setdefault(found[1], number)
    return body, lines


def _yaml(text: str, file: Path) -> tuple[Any, dict[str, int]]:
    yaml: Any = importlib.import_module("yaml")  # comes with the emulator, without types
    loader = _loader(yaml)(text)
    try:
        node = loader.get_single_node()
        body = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}:{mark.line + 1}" if mark else str(file)
        raise UsageError(f"{place}: is not YAML: {getattr(error, 'problem', None) or error}") from error
    finally:
        loader.dispose()
    return body, _lines(yaml, node)


def _lines(yaml: Any, node: Any) -> dict[str, int]:
    """The line of each logical id under ``Resources``."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    sections = [value for key, value in node.value if key.value == "Resources" and isinstance(value, yaml.MappingNode)]
    return {key.value: key.start_mark.line + 1 for section in sections for key, _ in section.value}


def _loader(yaml: Any) -> Any:
    loader: Any = type("Loader", (yaml.SafeLoader,), {})
    loader.yaml_implicit_resolvers = {  # dates stay the texts that they are, such as the version of a policy
        first: [one for one in known if one[0] != "tag:yaml.org,2002:timestamp"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    loader.add_multi_constructor("!", lambda reader, name, node: _short(yaml, reader, name, node))
    return loader


def _short(yaml: Any, reader: Any, name: str, node: Any) -> Any:
    """``!Name`` as its long form."""
    if isinstance(node, yaml.ScalarNode):
        value: Any = reader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = reader.construct_sequence(node, deep=True)
    else:
        value = reader.construct_mapping(node, deep=True)
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}
