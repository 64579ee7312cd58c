"""A bundle with modules that were compiled for another Python or processor than runs it is refused.

On AWS it fails at the first import, far from its cause; here even a bundle that is right for AWS may meet another
Python than it declares, or another processor.
"""

import functools
import io
import platform
import sys
import zipfile
from typing import Any

from localstack.aws.api.lambda_ import InvalidParameterValueException
from localstack.services.lambda_ import provider
from localstack.services.lambda_.invocation import lambda_service
from localstack.services.lambda_.provider import LambdaProvider

from dlqlab.emulator.functions.asked_runtimes import asked, telling
from dlqlab.emulator.functions.compiled_checks import WHEEL, Target, misfit
from dlqlab.emulator.runtime.interpreters import declared, find, own


def patch() -> None:
    LambdaProvider.create_function = telling(LambdaProvider.create_function)
    LambdaProvider.update_function_code = telling(LambdaProvider.update_function_code)
    checked = _checked(lambda_service.store_lambda_archive)
    lambda_service.store_lambda_archive = provider.store_lambda_archive = checked


def _checked(original: Any) -> Any:
    @functools.wraps(original)
    def store_lambda_archive(archive_file: bytes, *args: Any, **options: Any) -> Any:
        context = asked()  # none where the archive is a layer's
        version = declared(context.runtime) if context else None
        if version and (problem := _problem(archive_file, version)):
            raise InvalidParameterValueException(problem, Type="User")
        return original(archive_file, *args, **options)

    return store_lambda_archive


def _problem(archive: bytes, version: str) -> str | None:
    """Why a bundle that declares a version of Python cannot run here; None where it can, or is no archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as bundle:
            names = bundle.namelist()
            wheels = {name: bundle.read(name).decode(errors="replace") for name in names if WHEEL.fullmatch(name)}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return None  # LocalStack refuses it in Lambda's words
    served = version if find(version) else own().version
    target = Target(version=served, machine=platform.machine().lower(), system=sys.platform)
    found = misfit(names, wheels, target)
    return found and f"Value at 'code': {found}, but the function runs on {target}: {_remedy(version, target)}"


def _remedy(version: str, target: Target) -> str:
    if target.version != version:
        return f"this machine has no Python {version}: bring one (uv python install {version})"
    where = f" --platform manylinux2014_{target.machine}" if target.system == "linux" else ""
    return (
        f"bundle wheels for it (pip install --only-binary=:all: --python-version {version}{where} --target FOLDER ...)"
    )
