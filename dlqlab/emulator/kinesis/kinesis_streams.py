"""Kinesis Data Streams: shards with their records for 24 hours or longer, by API and by mappings.

LocalStack's own service runs a server that it would have to download, and forwards each call to it.
"""

from localstack.services.plugins import Service

from dlqlab.emulator.core.own_services import serve

NAME = "kinesis"


def make_service() -> Service:
    """The service for LocalStack."""
    from localstack.aws.skeleton import Skeleton  # noqa: PLC0415  (as below)
    from localstack.aws.spec import load_service  # noqa: PLC0415  (made when it is first called)

    from dlqlab.emulator.kinesis.api import Api  # noqa: PLC0415  (as above)

    model = load_service(NAME)
    api = Api(model)
    service = Service(name=NAME, skeleton=Skeleton(model, api.dispatch_table()))
    service._provider = api
    return service


def patch() -> None:
    serve(NAME, make_service)
