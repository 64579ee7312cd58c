"""The operations of EventBridge Pipes (API reference)."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from localstack.aws.api import CommonServiceException

from dlqlab.emulator.mappings.mapped_queues import find_queue
from dlqlab.emulator.mappings.stream_sources import find
from dlqlab.emulator.pipes import settings
from dlqlab.emulator.pipes.running import PipeWorker

RUNNING, STOPPED = "RUNNING", "STOPPED"
_SHORT = ("Arn", "Name", "DesiredState", "CurrentState", "CreationTime", "LastModifiedTime")
_LISTED = (*_SHORT, "Source", "Target", "Enrichment")
_LISTED_MAX = 100

type Answer = dict[str, Any]
type Request = Mapping[str, Any]
type Pipe = dict[str, Any]


def _refuse(code: str, message: str, status: int = 400) -> CommonServiceException:
    return CommonServiceException(code, message, status, sender_fault=True)


class Api:
    """The operations, as LocalStack calls them: context, request."""

    service = "pipes"

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._pipes: dict[str, Pipe] = {}
        """By ARN."""
        self._workers: dict[str, PipeWorker] = {}

    def dispatch_table(self) -> dict[str, Callable[[Any, Request], Answer]]:
        return {
            "CreatePipe": self.create,
            "DescribePipe": self.describe,
            "ListPipes": self.list_pipes,
            "UpdatePipe": self.update,
            "DeletePipe": self.delete,
            "StartPipe": self.start,
            "StopPipe": self.stop,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.tags,
        }

    def create(self, context: Any, request: Request) -> Answer:
        """CreatePipe."""
        arn, now = _arn(context, request["Name"]), datetime.now(UTC)
        _check(request)
        wanted = request.get("DesiredState") or RUNNING
        with self._lock:
            if arn in self._pipes:
                raise _refuse("ConflictException", f"Pipe {request['Name']} already exists", 409)
            pipe = self._pipes[arn] = {
                **request,
                "Arn": arn,
                "DesiredState": wanted,
                "CreationTime": now,
                "LastModifiedTime": now,
            }
            self._run(pipe)
            return _part(pipe, _SHORT) | {"CurrentState": "CREATING"}

    def describe(self, context: Any, request: Request) -> Answer:
        """DescribePipe."""
        return dict(self._find(context, request["Name"]))

    def list_pipes(self, context: Any, request: Request) -> Answer:
        """ListPipes; a token is the name after which to go on."""
        with self._lock:
            found = [
                pipe
                for arn, pipe in sorted(self._pipes.items())
                if arn.startswith(_arn(context, ""))
                and pipe["Name"].startswith(request.get("NamePrefix") or "")
                and pipe["Source"].startswith(request.get("SourcePrefix") or "")
                and pipe["Target"].startswith(request.get("TargetPrefix") or "")
                and request.get("DesiredState") in {None, pipe["DesiredState"]}
                and request.get("CurrentState") in {None, pipe["CurrentState"]}
                and pipe["Name"] > (request.get("NextToken") or "")
            ]
        count = min(request.get("Limit") or _LISTED_MAX, _LISTED_MAX)
        answer: Answer = {"Pipes": [_part(pipe, _LISTED) for pipe in found[:count]]}
        if len(found) > count:
            answer["NextToken"] = found[count - 1]["Name"]
        return answer

    def update(self, context: Any, request: Request) -> Answer:
        """UpdatePipe: what is given replaces what was; of the source only its settings."""
        with self._lock:
            pipe = self._find(context, request["Name"])
            given = {name: value for name, value in request.items() if value is not None}
            if parameters := given.get("SourceParameters"):
                given["SourceParameters"] = _updated(pipe, parameters)
            changed = {**pipe, **given}
            _check(changed)
            pipe.update(given, LastModifiedTime=datetime.now(UTC))
            self._end(pipe, for_good=False)
            self._run(pipe)
            return _part(pipe, _SHORT) | {"CurrentState": "UPDATING"}

    def delete(self, context: Any, request: Request) -> Answer:
        """DeletePipe."""
        with self._lock:
            pipe = self._find(context, request["Name"])
            self._end(pipe, for_good=True)
            del self._pipes[pipe["Arn"]]
            return _part(pipe, _SHORT) | {"CurrentState": "DELETING", "DesiredState": "DELETED"}

    def start(self, context: Any, request: Request) -> Answer:
        """StartPipe."""
        return self._wish(context, request["Name"], RUNNING, "STARTING")

    def stop(self, context: Any, request: Request) -> Answer:
        """StopPipe."""
        return self._wish(context, request["Name"], STOPPED, "STOPPING")

    def tag(self, _context: Any, request: Request) -> Answer:
        """TagResource."""
        pipe = self._named(request["resourceArn"])
        pipe["Tags"] = {**(pipe.get("Tags") or {}), **request["tags"]}
        return {}

    def untag(self, _context: Any, request: Request) -> Answer:
        """UntagResource."""
        pipe = self._named(request["resourceArn"])
        gone = set(request["tagKeys"])
        pipe["Tags"] = {name: value for name, value in (pipe.get("Tags") or {}).items() if name not in gone}
        return {}

    def tags(self, _context: Any, request: Request) -> Answer:
        """ListTagsForResource."""
        return {"tags": self._named(request["resourceArn"]).get("Tags") or {}}

    def _wish(self, context: Any, name: str, wanted: str, meanwhile: str) -> Answer:
        with self._lock:
            pipe = self._find(context, name)
            if pipe["DesiredState"] != wanted:
                pipe.update(DesiredState=wanted, LastModifiedTime=datetime.now(UTC))
                self._end(pipe, for_good=False)
                self._run(pipe)
            return _part(pipe, _SHORT) | {"CurrentState": meanwhile}

    def _run(self, pipe: Pipe) -> None:
        pipe["CurrentState"] = pipe["DesiredState"]
        if pipe["DesiredState"] == RUNNING:
            worker = self._workers[pipe["Arn"]] = PipeWorker(pipe)
            worker.start()

    def _end(self, pipe: Pipe, *, for_good: bool) -> None:
        worker = self._workers.pop(pipe["Arn"], None)
        if worker is not None:
            worker.stop(for_good=for_good)

    def _find(self, context: Any, name: str) -> Pipe:
        return self._named(_arn(context, name))

    def _named(self, arn: str) -> Pipe:
        found = self._pipes.get(arn)
        if found is None:
            raise _refuse("NotFoundException", f"Pipe {arn.rpartition('/')[2]} does not exist.", 404)
        return found


def _arn(context: Any, name: str) -> str:
    return f"arn:{context.partition}:pipes:{context.region}:{context.account_id}:pipe/{name}"


def _part(pipe: Pipe, names: tuple[str, ...]) -> Answer:
    return {name: pipe[name] for name in names if pipe.get(name) is not None}


def _updated(pipe: Pipe, given: Mapping[str, Any]) -> dict[str, Any]:
    """The source's parameters with those of an update, which has no StartingPosition."""
    before = pipe.get("SourceParameters") or {}
    return {
        **before,
        **{
            name: {**(before.get(name) or {}), **value} if name != "FilterCriteria" else value
            for name, value in given.items()
        },
    }


def _check(request: Request) -> None:
    reason = settings.wrong(request) or _missing(request["Source"])
    if reason is not None:
        raise _refuse("ValidationException", reason)


def _missing(source_arn: str) -> str | None:
    found: object = find_queue(source_arn) if settings.service_of(source_arn) == "sqs" else find(source_arn)
    return None if found is not None else f"Source {source_arn} does not exist"
