"""The emulator writes down what happens to every message, each invocation and each call; it changes nothing of them.

See ``dlqlab.emulator.recorder``. It comes last: its hooks go around what the other patches have made of LocalStack.
"""

from localstack.aws import connect
from localstack.aws.app import LocalstackAwsGateway
from localstack.services.apigateway.next_gen.execute_api.integrations.aws import RestApiAwsProxyIntegration
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller
from localstack.services.lambda_.invocation.assignment import AssignmentService
from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment
from localstack.services.lambda_.invocation.lambda_service import LambdaService
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager
from localstack.services.sqs import utils
from localstack.services.sqs.models import FifoQueue, MessageGroup, SqsQueue, StandardQueue
from localstack.services.sqs.provider import MessageMoveTaskManager, SqsProvider
from localstack.services.sqs.queue import InterruptibleQueue

from dlqlab.emulator.patches import expect
from dlqlab.emulator.recorder import running

NAME = "recorder"


def patch() -> None:
    _expect_queues()
    _expect_functions()
    running.start()


def _expect_queues() -> None:
    expect(NAME, StandardQueue.put, "3973a899cdb6")
    expect(NAME, FifoQueue.put, "710b3c83eed1")
    expect(NAME, StandardQueue.receive, "99e0321c768a")
    expect(NAME, FifoQueue.receive, "777b7d277fb3")
    expect(NAME, StandardQueue.clear, "aa38fb997017")
    expect(NAME, FifoQueue.clear, "081fcefa9984")
    expect(NAME, StandardQueue.shutdown, "fe4c6d34c506")
    expect(NAME, FifoQueue.shutdown, "2917807e0215")
    expect(NAME, InterruptibleQueue.shutdown, "99f0fd83e549")
    expect(NAME, SqsQueue.create_receipt_handle, "9e90a1ee1a01")
    expect(NAME, SqsQueue.update_visibility_timeout, "a3f0da00b2f4")
    expect(NAME, SqsQueue.remove, "d90ede1a4428")
    expect(NAME, StandardQueue._put_message, "34e6bf0bad88")  # noqa: SLF001
    expect(NAME, FifoQueue._put_message, "f1d876d0f6b1")  # noqa: SLF001
    expect(NAME, MessageGroup.push, "d713175965ce")
    expect(NAME, SqsProvider.delete_queue, "6eb6852932ff")
    expect(NAME, SqsProvider.receive_message, "87ca0123fbab")
    expect(NAME, MessageMoveTaskManager._run, "3e9783e80854")  # noqa: SLF001
    expect(NAME, utils.encode_receipt_handle, "fe436e0b70c7")
    expect(NAME, utils.extract_receipt_handle_info, "801598d18b76")


def _expect_functions() -> None:
    expect(NAME, LambdaService.invoke, "e74d9e79ae97")
    expect(NAME, LambdaVersionManager.invoke, "137699a70e55")
    expect(NAME, AssignmentService.get_environment, "91986297628a")
    expect(NAME, ExecutionEnvironment.invoke, "cf0e0565b58f")
    expect(NAME, ExecutionEnvironment.get_credentials, "192a195b8235")
    expect(NAME, ExecutionEnvironment.get_environment_variables, "ab1e905b6f91")
    expect(NAME, RestApiAwsProxyIntegration.invoke, "6fcff821de55")  # which calls call_lambda, whoever replaced that
    expect(NAME, SqsPoller.handle_messages, "65e0b988da3f")
    expect(NAME, LocalstackAwsGateway.__init__, "f6ab100f02ee")
    expect(NAME, connect.dump_dto, "815ca302dc39")
