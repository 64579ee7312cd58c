"""Ways into a pipeline by an operation of AWS: a queue, a topic, a bus, a bucket, a stream."""

from collections.abc import Mapping
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dlqlab.load.messages import ERROR_CHARACTERS_MAX, REQUEST_ID, Answer, EntrySettings, FromTemplate, Message
from dlqlab.sessions import isolated_session


class _Service(FromTemplate):
    """An operation of AWS, tried once."""

    service = ""

    def __init__(self, entry: EntrySettings, seed: int) -> None:
        super().__init__(entry, seed)
        session = isolated_session(region=entry.region, access_key=entry.access_key, secret_key=entry.secret_key)
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=100)
        make: Any = session.client
        self._aws = make(self.service, endpoint_url=entry.endpoint, config=config)
        self._aws.meta.events.register("before-send.*", _with_request_id)

    def send(self, client: Any, message: Message, counter: int, request_id: str) -> Answer:
        del client
        _SENDING[0] = request_id
        try:
            answer = self._call(message, counter)
        except ClientError as error:
            found = error.response
            return Answer(found["ResponseMetadata"]["HTTPStatusCode"], str(error)[:ERROR_CHARACTERS_MAX])
        except BotoCoreError as error:
            return Answer(None, f"{type(error).__name__}: {error}"[:ERROR_CHARACTERS_MAX])
        return Answer(answer["ResponseMetadata"]["HTTPStatusCode"], self._refusal(answer))

    def _call(self, message: Message, counter: int) -> Mapping[str, Any]:
        raise NotImplementedError

    def _refusal(self, answer: Mapping[str, Any]) -> str | None:
        del answer
        return None

    def _attributes(self, counter: int) -> dict[str, dict[str, str]]:
        filled = self.filled(self._entry.attributes, counter)
        return {name: {"DataType": "String", "StringValue": text} for name, text in filled.items()}

    def _ordered(self, message: Message, counter: int) -> dict[str, str]:
        """What a FIFO queue or topic asks for besides."""
        if not self._entry.fifo:
            return {}
        return {
            "MessageGroupId": self.fill(self._entry.group, counter),
            "MessageDeduplicationId": message.task_id,
        }


class Queue(_Service):
    service = "sqs"

    def _call(self, message: Message, counter: int) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._aws.send_message(
            QueueUrl=self._entry.address,
            MessageBody=message.body,
            MessageAttributes=self._attributes(counter),
            **self._ordered(message, counter),
        )
        return answer


class Topic(_Service):
    service = "sns"

    def _call(self, message: Message, counter: int) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._aws.publish(
            TopicArn=self._entry.address,
            Message=message.body,
            MessageAttributes=self._attributes(counter),
            **self._ordered(message, counter),
        )
        return answer


class Bus(_Service):
    service = "events"

    def _call(self, message: Message, counter: int) -> Mapping[str, Any]:
        del counter
        entry = self._entry
        event = {
            "EventBusName": entry.address,
            "DetailType": entry.detail_type,
            "Source": entry.source,
            "Detail": message.body,
        }
        answer: Mapping[str, Any] = self._aws.put_events(Entries=[event])
        return answer

    def _refusal(self, answer: Mapping[str, Any]) -> str | None:
        (entry,) = answer["Entries"]
        return f"{entry['ErrorCode']}: {entry.get('ErrorMessage', '')}" if entry.get("ErrorCode") else None


class Bucket(_Service):
    service = "s3"

    def _call(self, message: Message, counter: int) -> Mapping[str, Any]:
        del counter
        answer: Mapping[str, Any] = self._aws.put_object(
            Bucket=self._entry.address, Key=f"{message.task_id}.json", Body=message.body.encode()
        )
        return answer


class Stream(_Service):
    service = "kinesis"

    def _call(self, message: Message, counter: int) -> Mapping[str, Any]:
        del counter
        answer: Mapping[str, Any] = self._aws.put_record(
            StreamName=self._entry.address, PartitionKey=message.task_id[:256], Data=message.body.encode()
        )
        return answer


BY_KIND: Mapping[str, type[_Service]] = {
    "queue": Queue,
    "topic": Topic,
    "bus": Bus,
    "bucket": Bucket,
    "stream": Stream,
}
_SENDING: list[str] = [""]
"""The id of the request that is being sent: no other greenlet runs between its setting and the headers of the request,
since nothing waits in between.
"""


def _with_request_id(request: Any, **_: Any) -> None:
    request.headers[REQUEST_ID] = _SENDING[0]
