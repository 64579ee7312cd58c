"""Layers of other accounts hold what dlqlab.toml says, or what is known of them; any other is refused by name.

LocalStack has no such layer and answers with an internal error that speaks of another product. Content depends on the
function's Python, so a function that gets another runtime gets its layers anew.
"""

import contextlib
import dataclasses
import functools
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localstack.aws.api.lambda_ import InvalidParameterValueException
from localstack.services.lambda_ import api_utils
from localstack.services.lambda_.invocation.lambda_models import HotReloadingCode, Layer, LayerVersion
from localstack.services.lambda_.invocation.models import lambda_stores
from localstack.services.lambda_.provider import LambdaProvider

from dlqlab.contracts.project import Project, read_project
from dlqlab.emulator import settings
from dlqlab.emulator.functions.asked_runtimes import asked, configuration, telling
from dlqlab.emulator.functions.layer_packages import LayerError, content
from dlqlab.emulator.functions.layer_sources import source_of, unknown
from dlqlab.emulator.runtime.interpreters import declared, find, own
from dlqlab.errors import UsageError

_LOCK = threading.Lock()


class PublicLayerCode(HotReloadingCode):  # type: ignore[misc]
    """The content of a layer of another account: a folder that is used as it is."""


def patch() -> None:
    LambdaProvider.create_function = telling(LambdaProvider.create_function)
    LambdaProvider.update_function_configuration = telling(_again(LambdaProvider.update_function_configuration))
    LambdaProvider._validate_layers = _known(LambdaProvider._validate_layers)
    LambdaProvider.map_layers = staticmethod(_filled(LambdaProvider.map_layers))


def _again(original: Any) -> Any:
    """A changed runtime asks for the same layers once more."""

    @functools.wraps(original)
    def update_function_configuration(self: Any, context: Any, request: Any) -> Any:
        has = configuration(context, request)
        if has and "Layers" not in request and request.get("Runtime") not in {None, has.runtime} and has.layers:
            request["Layers"] = [layer.layer_version_arn for layer in has.layers]
        return original(self, context, request)

    return update_function_configuration


def _known(original: Any) -> Any:
    @functools.wraps(original)
    def _validate_layers(self: Any, new_layers: list[str], region: str, account_id: str) -> Any:
        for arn in new_layers:
            with contextlib.suppress(AttributeError):  # no ARN of a layer version: refused below
                _, account, _, version = api_utils.parse_layer_arn(arn)
                if version and account != account_id:
                    _register(arn)
        return original(self, new_layers, region=region, account_id=account_id)

    return _validate_layers


def _register(arn: str) -> None:
    """Have LocalStack know a layer of another account, unless that account is one of this emulator's with the layer.

    Raises:
        InvalidParameterValueException: nobody knows what it holds.
    """
    region, account, name, version = api_utils.parse_layer_arn(arn)
    with _LOCK:
        layers = lambda_stores[account][region].layers
        if name in layers and version in layers[name].layer_versions:
            return
        if source_of(arn, _project()[0].layers) is None:
            raise InvalidParameterValueException(unknown(arn), Type="User")
        layer = layers.setdefault(name, Layer(arn=arn.rpartition(":")[0]))
        layer.layer_versions[version] = LayerVersion(
            layer_version_arn=arn,
            layer_arn=layer.arn,
            version=int(version),
            code=PublicLayerCode(host_path=""),
            license_info=None,
            compatible_runtimes=[],
            compatible_architectures=[],
            created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        )


def _filled(original: Any) -> Any:
    @functools.wraps(original)
    def map_layers(new_layers: list[str]) -> list[LayerVersion]:
        return [_with_content(layer) for layer in original(new_layers)]

    return map_layers


def _with_content(layer: LayerVersion) -> LayerVersion:
    """A layer of another account with what it holds for the function that is asked for."""
    if not isinstance(layer.code, PublicLayerCode):
        return layer
    arn, context = layer.layer_version_arn, asked()
    version = declared(context.runtime) if context else None
    python = version if version is None or find(version) else own().version
    project, path = _project()
    source = source_of(arn, project.layers)
    if source is None:  # it has been taken out of the project file since
        raise InvalidParameterValueException(unknown(arn), Type="User")
    try:
        folder = content(source, python=python, project=path)
    except LayerError as error:
        raise InvalidParameterValueException(f"Layer version {arn}: {error}", Type="User") from error
    return dataclasses.replace(layer, code=PublicLayerCode(host_path=str(folder)))


def _project() -> tuple[Project, Path | None]:
    """As the file is now: a line that is added to it counts without a new start."""
    given = os.environ.get(settings.PROJECT_FILE)
    path = Path(given) if given else None
    try:
        return (read_project(path) if path and path.exists() else Project()), path
    except UsageError as error:
        raise InvalidParameterValueException(str(error), Type="User") from error
