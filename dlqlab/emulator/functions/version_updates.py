"""An update or deletion of a function lets running invocations end by themselves; later ones use the new version.

LocalStack ends the processes of the old version and deletes its code at once: a running invocation was answered with an
error, and one that came between the two versions with "version shutting down". Here the old version's code stays until
its last invocation has ended, and each of its environments ends with its invocation. At the emulator's own end all of
them end at once.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from localstack.aws.api.lambda_ import ResourceNotFoundException
from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment, RuntimeStatus
from localstack.services.lambda_.invocation.lambda_models import S3Code
from localstack.services.lambda_.invocation.lambda_service import LambdaService
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager
from localstack.utils.patch import patch as replace

from dlqlab.emulator.core.services import provider
from dlqlab.emulator.runtime.executor import end_all


class CodeInUse:
    """How many invocations use each archive of code; one that is to be deleted meanwhile is deleted after the last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: Counter[str] = Counter()
        self._doomed: dict[str, Any] = {}

    @contextmanager
    def held(self, code: Any) -> Iterator[None]:
        """Keep the code on disk."""
        key = _key(code)
        with self._lock:
            self._users[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._users[key] -= 1
                doomed = None
                if not self._users[key]:
                    del self._users[key]
                    doomed = self._doomed.pop(key, None)
            if doomed is not None:
                doomed()

    def delete(self, code: Any, delete: Any) -> None:
        """Call ``delete`` now, or once nobody uses the code."""
        key = _key(code)
        with self._lock:
            if self._users[key]:
                self._doomed[key] = delete
                return
            del self._users[key]
        delete()


def _key(code: Any) -> str:
    """The archive's id, which no other has; code that is reloaded from a folder of the user's is never deleted."""
    return str(getattr(code, "id", ""))


_CODE = CodeInUse()


def _is_retired(environment: ExecutionEnvironment) -> bool:
    """Whether another version has taken the place of an environment's, or none has."""
    running = provider("lambda").lambda_service.lambda_running_versions
    current = running.get(environment.function_version.qualified_arn)
    return current is None or current.id != environment.version_manager_id


def _invoke(original: Any, manager: LambdaVersionManager, invocation: Any) -> Any:
    with _CODE.held(manager.function_version.config.code):
        # Held first: code that is deleted from now on stays, and a version that retires from now on still serves this.
        if not manager.shutdown_event.is_set():
            return original(manager, invocation=invocation)
    current = provider("lambda").lambda_service.lambda_running_versions.get(manager.function_arn)
    if current is None or current is manager:
        raise ResourceNotFoundException(f"Function not found: {invocation.invoked_arn}", Type="User")
    return current.invoke(invocation=invocation)


def patch() -> None:

    @replace(LambdaVersionManager.invoke)
    def invoke(original, self, *, invocation):  # type: ignore[no-untyped-def]
        return _invoke(original, self, invocation)

    @replace(ExecutionEnvironment.release)
    def release(original, self):  # type: ignore[no-untyped-def]
        with self.status_lock:
            was_stopped = self.status == RuntimeStatus.STOPPED  # it ended with its invocation
            if not was_stopped:
                original(self)
        if not was_stopped and _is_retired(self):
            # Started after its version had stopped all environments that it knew.
            provider("lambda").lambda_service.assignment_service.stop_environment(self)

    @replace(S3Code.destroy_cached)
    def destroy_cached(original, self):  # type: ignore[no-untyped-def]
        _CODE.delete(self, lambda: original(self))

    @replace(LambdaService.stop)
    def stop(original, self):  # type: ignore[no-untyped-def]
        end_all()
        original(self)
