"""Amazon Data Firehose delivers to S3: buffered, transformed by functions, from calls or Kinesis streams.

LocalStack's writes an object for each call, knows neither buffers nor what a function says of each record, and reads
Kinesis by a library that it would have to download.
"""

from localstack.services.kinesisfirehose.resource_providers.aws_kinesisfirehose_deliverystream import (
    KinesisFirehoseDeliveryStreamProvider,
)
from localstack.services.plugins import Service

from dlqlab.emulator.core.own_services import serve
from dlqlab.emulator.firehose import resource

NAME = "firehose"


def make_service() -> Service:
    """The service for LocalStack."""
    from localstack.aws.skeleton import Skeleton  # noqa: PLC0415  (as below)
    from localstack.aws.spec import load_service  # noqa: PLC0415  (made when it is first called)

    from dlqlab.emulator.firehose.api import Api  # noqa: PLC0415  (as above)

    model = load_service(NAME)
    api = Api(model)
    service = Service(name=NAME, skeleton=Skeleton(model, api.dispatch_table()))
    service._provider = api
    return service


def patch() -> None:
    KinesisFirehoseDeliveryStreamProvider.create = resource.create
    KinesisFirehoseDeliveryStreamProvider.update = resource.update
    KinesisFirehoseDeliveryStreamProvider.delete = resource.delete

    serve(NAME, make_service)
