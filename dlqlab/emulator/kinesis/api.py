"""Every operation of Kinesis by its name, checked against the API's model first."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.model import ServiceModel

from dlqlab.emulator.core import constraints
from dlqlab.emulator.kinesis import attached, control, records
from dlqlab.emulator.kinesis.finding import INVALID, VALIDATION, Answer, Request, refused

type Operation = Callable[[Any, Request], Answer]

_SERVED: Final[Mapping[str, Operation]] = {
    "AddTagsToStream": attached.add_tags,
    "CreateStream": control.create_stream,
    "DecreaseStreamRetentionPeriod": control.decrease_retention,
    "DeleteStream": control.delete_stream,
    "DeregisterStreamConsumer": attached.deregister_consumer,
    "DescribeLimits": control.describe_limits,
    "DescribeStream": control.describe_stream,
    "DescribeStreamConsumer": attached.describe_consumer,
    "DescribeStreamSummary": control.describe_stream_summary,
    "DisableEnhancedMonitoring": control.disable_monitoring,
    "EnableEnhancedMonitoring": control.enable_monitoring,
    "GetRecords": records.get_records,
    "GetShardIterator": records.get_shard_iterator,
    "IncreaseStreamRetentionPeriod": control.increase_retention,
    "ListShards": control.list_shards,
    "ListStreamConsumers": attached.list_consumers,
    "ListStreams": control.list_streams,
    "ListTagsForResource": attached.list_tags_of_resource,
    "ListTagsForStream": attached.list_tags,
    "MergeShards": control.merge_shards,
    "PutRecord": records.put_record,
    "PutRecords": records.put_records,
    "RegisterStreamConsumer": attached.register_consumer,
    "RemoveTagsFromStream": attached.remove_tags,
    "SplitShard": control.split_shard,
    "StartStreamEncryption": control.start_encryption,
    "StopStreamEncryption": control.stop_encryption,
    "TagResource": attached.add_tags,
    "UntagResource": attached.remove_tags,
    "UpdateMaxRecordSize": control.update_max_record_size,
    "UpdateShardCount": control.update_shard_count,
    "UpdateStreamMode": control.update_stream_mode,
}


class Api:
    """The operations, as LocalStack calls them: context, request."""

    service = "kinesis"

    def __init__(self, model: ServiceModel) -> None:
        self._model = model

    def dispatch_table(self) -> dict[str, Operation]:
        return {name: self._checked(name) for name in self._model.operation_names}

    def _checked(self, name: str) -> Operation:
        serve = _SERVED.get(name) or functools.partial(_refuse, name)
        shape = self._model.operation_model(name).input_shape

        def operation(context: Any, request: Request) -> Answer:
            if shape is not None and (found := list(constraints.violations(shape, request))):
                raise refused(VALIDATION, constraints.text(found))
            return serve(context, request)

        return operation


def _refuse(name: str, _context: Any, _request: Request) -> Answer:
    raise refused(
        INVALID,
        f"The emulator does not serve {name} of Kinesis. Read streams by GetRecords or an event source mapping; "
        "resource policies and settings of accounts have no effect here: leave them out.",
    )
