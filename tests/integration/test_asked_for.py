"""What an emulator does as AWS only if it is asked for at its start: IAM, latency, quotas."""

import functools
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from dlqlab.emulator import settings
from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.waiting import wait_for
from tests.integration.conftest import bundle, make_client

CALLER = """
    import boto3
    from botocore.exceptions import ClientError

    def handler(event, context):
        if "requestContext" in event:
            return {"statusCode": 200, "body": "served"}
        client = boto3.client(event["service"])
        try:
            getattr(client, event["call"])(**event["with"])
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            return [error.response["Error"]["Code"], status, error.response["Error"]["Message"]]
        return "allowed"
"""
TIMES = """
[[latency]]
service = "{0}"
operation = "{1}"
p50_ms = {2}
p99_ms = {2}
adds = {3}
source = "of this test"
"""
SLOW = (
    ("sqs", "ListQueueTags", 400, "false"),
    ("dynamodb", "ListTables", 350, "true"),
    ("sns", "ListTopics", 300, "false"),
    ("lambda", "Init", 1000, "true"),
)
"""Operations that no other test here calls, by each protocol, and what a new execution environment takes."""
QUOTAS = (
    "aws,lambda_get_function_per_s=1,lambda_requests_per_s=1,sqs_in_flight=5,sqs_fifo_in_flight=5,"
    "kinesis_shard_records_per_s=3"
)
"""Lower than AWS's where a laptop could not reach those."""
TRIES = 20
"""More than pass within any time that they may take."""
LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
POLLER = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator of its own, with everything that must be asked for."""
    root = tmp_path_factory.mktemp("strict")
    table = root / "latency.toml"
    table.write_text("".join(TIMES.format(*one) for one in SLOW))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(settings.ENFORCE_IAM, settings.ON)
        environment.setenv(settings.LATENCY, str(table))
        environment.setenv(settings.LIMITS, QUOTAS)
        running = lifecycle.start(ANY_PORT, bound=True, root=root)
    yield running
    lifecycle.stop(running)


@pytest.fixture(scope="module")
def aws(strict: Emulator) -> Callable[[str], Any]:
    """Clients of the account's root."""

    @functools.cache
    def client(service: str) -> Any:
        return make_client(strict, service)

    return client


class Worker:
    """A function with a role of its own."""

    def __init__(self, aws: Callable[[str], Any]) -> None:
        self.name = f"w-{uuid.uuid4().hex[:8]}"
        self._aws = aws
        trust = json.dumps({"Version": "2012-10-17", "Statement": [LAMBDA]})
        self.role = aws("iam").create_role(RoleName=self.name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        created = aws("lambda").create_function(
            FunctionName=self.name,
            Role=self.role,
            Code={"ZipFile": bundle({"app.py": CALLER})},
            Handler="app.handler",
            Runtime="python3.13",
            Timeout=20,
        )
        self.arn = created["FunctionArn"]

    def may(self, action: str, resource: str, *, effect: str = "Allow", **more: Any) -> None:
        statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
        self._aws("iam").put_role_policy(
            RoleName=self.name,
            PolicyName=f"{effect}-{action.replace(':', '-')}",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}),
        )

    def call(self, service: str, call: str, **given: Any) -> Any:
        event = json.dumps({"service": service, "call": call, "with": given})
        answer = self._aws("lambda").invoke(FunctionName=self.name, Payload=event)
        return json.loads(answer["Payload"].read())


@pytest.fixture(scope="module")
def worker(aws: Callable[[str], Any]) -> Worker:
    return Worker(aws)


def make_queue(aws: Callable[[str], Any], **attributes: Any) -> tuple[str, str]:
    url = aws("sqs").create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}", Attributes=attributes)["QueueUrl"]
    found = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, found["Attributes"]["QueueArn"]


def let_in(aws: Callable[[str], Any], url: str, arn: str, principal: dict[str, str], **more: Any) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": arn, **more}
    aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [statement]})})


def received(aws: Callable[[str], Any], url: str) -> list[str]:
    """The bodies of the first messages that come."""

    def probe() -> tuple[bool, list[str]]:
        found = aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        bodies = [message["Body"] for message in found.get("Messages", [])]
        return bool(bodies), bodies

    return wait_for("a message", probe, deadline_s=30)


def test_a_function_does_what_its_role_may(aws: Callable[[str], Any], worker: Worker, strict: Emulator) -> None:
    """Refused in AWS's words until a policy allows it; a Deny takes it away again; the log says what lacked."""
    url, arn = make_queue(aws)
    send = {"QueueUrl": url, "MessageBody": "x"}
    refused = worker.call("sqs", "send_message", **send)
    worker.may("sqs:SendMessage", arn)
    allowed = [worker.call("sqs", "send_message", **send)]
    entries = [{"Id": "1", "MessageBody": "y"}]
    allowed.append(worker.call("sqs", "send_message_batch", QueueUrl=url, Entries=entries))
    worker.may("sqs:*", arn, effect="Deny")
    denied = worker.call("sqs", "send_message", **send)
    user = f"arn:aws:sts::000000000000:assumed-role/{worker.name}/{worker.name}"
    begin = f"User: {user} is not authorized to perform: sqs:sendmessage on resource: {arn} "

    assert [
        "AccessDenied",
        403,
        f"{begin}because no identity-based policy allows the sqs:sendmessage action",
    ] == refused
    assert ["allowed", "allowed"] == allowed
    assert ["AccessDenied", 403, f"{begin}with an explicit deny in an identity-based policy"] == denied
    assert f'Missing for {worker.role}: {{"Effect": "Allow", "Action": "sqs:SendMessage"' in strict.log_path.read_text()


def test_services_of_the_json_protocol_refuse_in_their_way(worker: Worker) -> None:
    """DynamoDB and Lambda, whether what is asked for exists or not."""
    item = {"TableName": "nowhere", "Item": {"id": {"S": "1"}}}
    dynamodb = worker.call("dynamodb", "put_item", **item)
    function = worker.call("lambda", "invoke", FunctionName="nobody")

    assert ["AccessDeniedException", 400] == dynamodb[:2]
    assert dynamodb[2].endswith(
        "is not authorized to perform: dynamodb:PutItem on resource: "
        "arn:aws:dynamodb:us-east-1:000000000000:table/nowhere because no identity-based policy allows the "
        "dynamodb:PutItem action"
    )
    assert ["AccessDeniedException", 403] == function[:2]
    assert "allowed" == worker.call("sts", "get_caller_identity")


def test_a_queue_may_let_a_role_in(aws: Callable[[str], Any], worker: Worker) -> None:
    """Its policy is enough within the account."""
    url, arn = make_queue(aws)
    before = worker.call("sqs", "send_message", QueueUrl=url, MessageBody="x")
    let_in(aws, url, arn, {"AWS": worker.role})

    assert "AccessDenied" == before[0]
    assert "allowed" == worker.call("sqs", "send_message", QueueUrl=url, MessageBody="x")


def test_a_condition_that_is_not_known_is_told(aws: Callable[[str], Any], worker: Worker) -> None:
    """And never taken for true."""
    url, arn = make_queue(aws)
    worker.may("sqs:SendMessage*", arn, Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}})

    refused = worker.call("sqs", "send_message", QueueUrl=url, MessageBody="x")

    assert "dlqlab cannot tell whether IAM allows it: the Allow statement" in refused[2]
    assert "IpAddress aws:SourceIp" in refused[2]


def test_a_topic_needs_the_queues_policy(aws: Callable[[str], Any]) -> None:
    """What it may not deliver goes to the subscription's DLQ; a policy for another topic lets nothing in."""
    topic = aws("sns").create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    dead_url, dead_arn = make_queue(aws)
    url, arn = make_queue(aws)
    sns = {"Service": "sns.amazonaws.com"}
    let_in(aws, dead_url, dead_arn, sns)
    let_in(aws, url, arn, sns, Condition={"ArnEquals": {"aws:SourceArn": f"{topic}-other"}})
    attributes = {"RawMessageDelivery": "true", "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn})}
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    aws("sns").publish(TopicArn=topic, Message="refused")
    dead = received(aws, dead_url)
    let_in(aws, url, arn, sns, Condition={"ArnEquals": {"aws:SourceArn": topic}})
    aws("sns").publish(TopicArn=topic, Message="let in")

    assert ["refused"] == dead
    assert ["let in"] == received(aws, url)


def test_a_rule_and_a_bucket_need_the_queues_policy(aws: Callable[[str], Any]) -> None:
    """A rule's event comes only once it is let in; a bucket's notification cannot even be set before."""
    name = f"n-{uuid.uuid4().hex[:8]}"
    url, arn = make_queue(aws)
    rule = aws("events").put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))["RuleArn"]
    aws("events").put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn, "InputPath": "$.detail"}])
    event = {"Source": name, "DetailType": "t", "Detail": '{"word": "refused"}'}
    aws("events").put_events(Entries=[event])
    aws("s3").create_bucket(Bucket=name)
    notify = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        aws("s3").put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=notify)
    let_in(aws, url, arn, {"Service": "events.amazonaws.com"}, Condition={"ArnEquals": {"aws:SourceArn": rule}})
    aws("events").put_events(Entries=[{**event, "Detail": '{"word": "let in"}'}])
    from_rule = received(aws, url)
    let_in(
        aws, url, arn, {"Service": "s3.amazonaws.com"}, Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{name}"}}
    )
    aws("s3").put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=notify)

    assert [{"word": "let in"}] == [json.loads(body) for body in from_rule]
    assert "s3:TestEvent" in received(aws, url)[0]


def test_a_mapping_needs_its_role_to_read_the_queue(aws: Callable[[str], Any], worker: Worker) -> None:
    """Refused at its creation; AWS's managed policy is enough."""
    _, arn = make_queue(aws)
    with pytest.raises(ClientError) as refused:
        aws("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=worker.name)
    aws("iam").attach_role_policy(RoleName=worker.name, PolicyArn=POLLER)
    other = Worker(aws)
    aws("iam").attach_role_policy(RoleName=other.name, PolicyArn=POLLER)
    made = aws("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=other.name)
    aws("lambda").delete_event_source_mapping(UUID=made["UUID"])
    error = refused.value.response["Error"]

    assert "InvalidParameterValueException" == error["Code"]
    assert "The provided execution role does not have permissions to call ReceiveMessage on SQS" == error["Message"]


def test_lambda_must_be_trusted_by_the_role(aws: Callable[[str], Any]) -> None:
    """Neither a role that there is not nor one for another service can be a function's."""
    name = f"w-{uuid.uuid4().hex[:8]}"
    trust = json.dumps({"Statement": [{**LAMBDA, "Principal": {"Service": "ec2.amazonaws.com"}}]})
    of_ec2 = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    for role in (of_ec2, f"{of_ec2}-gone"):
        with pytest.raises(ClientError, match=r"The role defined for the function cannot be assumed by Lambda\."):
            aws("lambda").create_function(
                FunctionName=name,
                Role=role,
                Code={"ZipFile": bundle({"app.py": CALLER})},
                Handler="app.handler",
                Runtime="python3.13",
            )


def test_an_api_needs_the_functions_permission(aws: Callable[[str], Any], worker: Worker, strict: Emulator) -> None:
    """500 without, 200 with one for this API."""
    api = aws("apigateway").create_rest_api(name=worker.name)["id"]
    root = aws("apigateway").get_resources(restApiId=api)["items"][0]["id"]
    at = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{worker.arn}/invocations"
    aws("apigateway").put_method(**at, authorizationType="NONE")
    aws("apigateway").put_integration(**at, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    aws("apigateway").create_deployment(restApiId=api, stageName="v1")

    def status() -> int:
        try:
            with urllib.request.urlopen(f"{strict.endpoint}/_aws/execute-api/{api}/v1/", timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    before = status()
    aws("lambda").add_permission(
        FunctionName=worker.name,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:000000000000:{api}/*/GET/",
    )

    assert (500, 200) == (before, status())


def test_a_key_of_its_own_is_needed_too(aws: Callable[[str], Any], worker: Worker) -> None:
    """A queue that is encrypted with a key of the account asks for kms:GenerateDataKey."""
    key = aws("kms").create_key()["KeyMetadata"]
    url, arn = make_queue(aws, KmsMasterKeyId=key["KeyId"])
    worker.may("sqs:SendMess*", arn)
    refused = worker.call("sqs", "send_message", QueueUrl=url, MessageBody="x")
    worker.may("kms:GenerateDataKey", key["Arn"])

    assert "KmsAccessDenied" == refused[0]
    assert "AccessDeniedException" == worker.call("kms", "list_keys")[0]
    worker.may("kms:ListKeys", "*")
    assert "allowed" == worker.call("kms", "list_keys")
    assert f"perform: kms:GenerateDataKey on resource: {key['Arn']} because no identity-based" in refused[2]
    assert "allowed" == worker.call("sqs", "send_message", QueueUrl=url, MessageBody="x")


def test_keys_of_topics_secrets_objects_and_parameters_are_needed_too(
    aws: Callable[[str], Any], strict: Emulator
) -> None:
    """Those of the account; and only by way of the service, where the policy says so."""
    user, key = User(aws, strict), aws("kms").create_key()["KeyMetadata"]["Arn"]
    name = user.name
    topic = aws("sns").create_topic(Name=name, Attributes={"KmsMasterKeyId": key})["TopicArn"]
    secret = aws("secretsmanager").create_secret(Name=name, SecretString="s", KmsKeyId=key)["ARN"]
    aws("ssm").put_parameter(Name=f"/{name}", Type="SecureString", Value="p", KeyId=key)
    aws("s3").create_bucket(Bucket=name)
    aws("s3").put_object(Bucket=name, Key="o", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    for action in ("sns:Publish", "secretsmanager:GetSecretValue", "ssm:GetParameter", "s3:*"):
        user.may(action, "*")

    def codes() -> list[str]:
        ssm, s3 = user.client("ssm"), user.client("s3")
        encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
        return [
            code_of(user.client("sns").publish, TopicArn=topic, Message="m"),
            code_of(user.client("secretsmanager").get_secret_value, SecretId=secret),
            code_of(ssm.get_parameter, Name=f"/{name}", WithDecryption=True),
            code_of(s3.get_object, Bucket=name, Key="o"),
            code_of(s3.put_object, Bucket=name, Key="p", Body=b"x", **encrypted),
        ]

    before = codes()
    unencrypted = code_of(user.client("ssm").get_parameter, Name=f"/{name}")
    via = [f"{one}.us-east-1.amazonaws.com" for one in ("sns", "secretsmanager", "ssm", "s3")]
    user.may("kms:*", key, Condition={"StringEquals": {"kms:ViaService": via}})

    assert ["KMSAccessDenied", *["AccessDeniedException"] * 2, *["AccessDenied"] * 2] == before
    assert ("", [""] * 5) == (unencrypted, codes())
    assert "AccessDeniedException" == code_of(user.client("kms").generate_data_key, KeyId=key, KeySpec="AES_256")


def test_a_topic_needs_the_policy_of_the_queues_key(aws: Callable[[str], Any]) -> None:
    """The default one lets no service of AWS use the key: nothing comes, though the queue's own policy allows it."""
    topic = aws("sns").create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    key = aws("kms").create_key()["KeyMetadata"]["KeyId"]
    dead_url, dead_arn = make_queue(aws)
    url, arn = make_queue(aws, KmsMasterKeyId=key)
    sns = {"Service": "sns.amazonaws.com"}
    for one in ((dead_url, dead_arn), (url, arn)):
        let_in(aws, *one, sns)
    attributes = {"RawMessageDelivery": "true", "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn})}
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    aws("sns").publish(TopicArn=topic, Message="refused")
    dead = received(aws, dead_url)
    actions = ["kms:GenerateDataKey", "kms:Decrypt"]
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    lets_in = {"Effect": "Allow", "Principal": sns, "Action": actions, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [root, lets_in]})
    aws("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    aws("sns").publish(TopicArn=topic, Message="let in")

    assert ["refused"] == dead
    assert ["let in"] == received(aws, url)


def test_the_accounts_root_may_everything(aws: Callable[[str], Any], strict: Emulator) -> None:
    """So that tools deploy as before; and keys of a role's session are not the root's."""
    key = aws("sts").assume_role(RoleArn=Worker(aws).role, RoleSessionName="me")["Credentials"]
    session = boto3.client(
        "sqs",
        endpoint_url=strict.endpoint,
        region_name=settings.REGION,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key["SessionToken"],
    )

    assert 200 == aws("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"]
    with pytest.raises(ClientError, match="sqs:listqueues"):
        session.list_queues()


class User:
    """A user with a key, and his clients."""

    def __init__(self, aws: Callable[[str], Any], emulator: Emulator) -> None:
        self.name = f"u-{uuid.uuid4().hex[:8]}"
        self._iam, self._emulator = aws("iam"), emulator
        self.arn = self._iam.create_user(UserName=self.name)["User"]["Arn"]
        self.key = self._iam.create_access_key(UserName=self.name)["AccessKey"]

    def client(self, service: str) -> Any:
        return make_client(self._emulator, service, key=(self.key["AccessKeyId"], self.key["SecretAccessKey"]))

    def may(self, action: str, resource: str, **more: Any) -> None:
        policy = allowing(action, resource, **more)
        name = action.replace(":", "-").replace("*", "all")
        self._iam.put_user_policy(UserName=self.name, PolicyName=name, PolicyDocument=policy)


def allowing(action: str, resource: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def code_of(call: Callable[..., Any], **given: Any) -> str:
    """The error code of a call; empty where it is served."""
    try:
        call(**given)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_a_user_does_what_he_and_his_groups_may(aws: Callable[[str], Any], strict: Emulator) -> None:
    """By inline and managed policies, with his name in them; a key that is switched off is nobody's."""
    user = User(aws, strict)
    url, arn = make_queue(aws)
    sqs, iam = user.client("sqs"), aws("iam")
    send = functools.partial(sqs.send_message, QueueUrl=url, MessageBody="x")
    with pytest.raises(ClientError, match=f"User: {user.arn} is not authorized to perform: sqs:sendmessage on"):
        send()
    user.may("sqs:Send*", "arn:aws:sqs:*:*:q-*")
    by_himself = code_of(send)
    before = code_of(sqs.purge_queue, QueueUrl=url)
    iam.create_group(GroupName=user.name)
    iam.add_user_to_group(GroupName=user.name, UserName=user.name)
    document = allowing("sqs:PurgeQueue", arn, Condition={"StringEquals": {"aws:username": user.name}})
    policy = iam.create_policy(PolicyName=user.name, PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_group_policy(GroupName=user.name, PolicyArn=policy)
    by_the_group = code_of(sqs.purge_queue, QueueUrl=url)
    sessions = code_of(user.client("sts").get_session_token)
    iam.update_access_key(UserName=user.name, AccessKeyId=user.key["AccessKeyId"], Status="Inactive")
    switched_off = [
        code_of(send),
        code_of(user.client("dynamodb").list_tables),
        code_of(user.client("s3").list_buckets),
    ]

    assert ("", "AccessDenied", "", "AccessDenied") == (by_himself, before, by_the_group, sessions)
    assert ["InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"] == switched_off


def test_policies_of_secrets_tables_and_buses_let_in(aws: Callable[[str], Any], strict: Emulator) -> None:
    """Each by itself, as that of a queue does."""
    user = User(aws, strict)
    name = user.name
    secret = aws("secretsmanager").create_secret(Name=name, SecretString="s")["ARN"]
    table = aws("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]["TableArn"]
    bus = aws("events").create_event_bus(Name=name)["EventBusArn"]
    event = {"Source": name, "DetailType": "t", "Detail": "{}", "EventBusName": name}

    def codes() -> list[str]:
        return [
            code_of(user.client("secretsmanager").get_secret_value, SecretId=secret),
            code_of(user.client("dynamodb").put_item, TableName=name, Item={"id": {"S": "1"}}),
            code_of(user.client("events").put_events, Entries=[event]),
        ]

    before = codes()
    him = {"Principal": {"AWS": user.arn}}
    document = allowing("secretsmanager:GetSecretValue", secret, **him)
    aws("secretsmanager").put_resource_policy(SecretId=secret, ResourcePolicy=document)
    aws("dynamodb").put_resource_policy(ResourceArn=table, Policy=allowing("dynamodb:PutItem", table, **him))
    aws("events").put_permission(EventBusName=name, Policy=allowing("events:PutEvents", bus, **him))

    assert (["AccessDeniedException"] * 3, ["", "", ""]) == (before, codes())


def test_calls_take_the_time_of_the_table(aws: Callable[[str], Any]) -> None:
    """By each protocol, and the initialisation of a function; never less."""
    url, _ = make_queue(aws)
    worker = Worker(aws)

    assert took_s(lambda: aws("sqs").list_queue_tags(QueueUrl=url)) >= 0.4
    assert took_s(lambda: aws("dynamodb").list_tables()) >= 0.35
    assert took_s(lambda: aws("sns").list_topics()) >= 0.3
    assert took_s(lambda: worker.call("sts", "get_caller_identity")) >= 1.0


def refusal(call: Callable[[], Any]) -> dict[str, Any]:
    """The first refusal of a call that is made again and again."""
    for _ in range(TRIES):
        try:
            call()
        except ClientError as error:
            return dict(error.response)
    raise AssertionError(f"{TRIES} calls and no refusal")


def test_lambda_throttles_its_api_and_functions(aws: Callable[[str], Any]) -> None:
    """GetFunction by its rate; invocations by ten, here one, a second for each that may run at once."""
    worker = Worker(aws)
    aws("lambda").put_function_concurrency(FunctionName=worker.name, ReservedConcurrentExecutions=1)
    event = json.dumps({"requestContext": {}})
    control = refusal(lambda: aws("lambda").get_function(FunctionName=worker.name))
    invoked = refusal(lambda: aws("lambda").invoke(FunctionName=worker.name, Payload=event))

    for found, reason in (
        (control, "CallerRateLimitExceeded"),
        (invoked, "ReservedFunctionInvocationRateLimitExceeded"),
    ):
        assert "TooManyRequestsException" == found["Error"]["Code"]
        assert (429, reason) == (found["ResponseMetadata"]["HTTPStatusCode"], found["Reason"])


def test_a_stage_throttles_by_its_own_rate(aws: Callable[[str], Any], strict: Emulator) -> None:
    """With API Gateway's answer; another stage of the same API goes on."""
    api = aws("apigateway").create_rest_api(name="throttled")["id"]
    root = aws("apigateway").get_resources(restApiId=api)["items"][0]["id"]
    at = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    aws("apigateway").put_method(**at, authorizationType="NONE")
    aws("apigateway").put_integration(**at, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    aws("apigateway").put_method_response(**at, statusCode="200")
    aws("apigateway").put_integration_response(**at, statusCode="200", responseTemplates={"application/json": "{}"})
    for stage in ("slow", "free"):
        aws("apigateway").create_deployment(restApiId=api, stageName=stage)
    changes = [
        {"op": "replace", "path": f"/*/*/throttling/{name}", "value": "1"} for name in ("rateLimit", "burstLimit")
    ]
    aws("apigateway").update_stage(restApiId=api, stageName="slow", patchOperations=changes)

    def ask(stage: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(f"{strict.endpoint}/_aws/execute-api/{api}/{stage}/", timeout=30) as answer:
                return int(answer.status), bytes(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    slow = [ask("slow") for _ in range(TRIES)]
    free = {ask("free")[0] for _ in range(TRIES)}
    refused = [body for status, body in slow if status == 429]

    assert {200} == free
    assert 200 == slow[0][0]
    assert {"message": "Too Many Requests"} == json.loads(refused[0])


def test_shards_take_so_much_a_second(aws: Callable[[str], Any], cleanups: ExitStack) -> None:
    """What a batch has beyond it is refused record by record, and the batch succeeds: who does not look loses them."""
    kinesis, name = aws("kinesis"), f"s-{uuid.uuid4().hex[:8]}"
    kinesis.create_stream(StreamName=name, ShardCount=1)
    cleanups.callback(kinesis.delete_stream, StreamName=name)
    answer = kinesis.put_records(StreamName=name, Records=[{"Data": b"a", "PartitionKey": "k"}] * 100)
    refused = [one for one in answer["Records"] if "ErrorCode" in one]
    assert {one["ErrorCode"] for one in refused} == {"ProvisionedThroughputExceededException"}
    assert answer["FailedRecordCount"] == len(refused) > 0
    start = {"ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    iterator = kinesis.get_shard_iterator(StreamName=name, **start)["ShardIterator"]
    assert len(kinesis.get_records(ShardIterator=iterator)["Records"]) == 100 - len(refused) >= 3


def test_messages_in_flight_are_limited(aws: Callable[[str], Any]) -> None:
    """OverLimit with short polling; nothing from a FIFO queue; until a message is deleted."""
    url, _ = make_queue(aws)
    fifo = aws("sqs").create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}.fifo", Attributes={"FifoQueue": "true"})
    for number in range(6):
        aws("sqs").send_message(QueueUrl=url, MessageBody="x")
        ids = {"MessageGroupId": str(number), "MessageDeduplicationId": str(number)}
        aws("sqs").send_message(QueueUrl=fifo["QueueUrl"], MessageBody="x", **ids)
    held = aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=5)["Messages"]
    aws("sqs").receive_message(QueueUrl=fifo["QueueUrl"], MaxNumberOfMessages=5)
    with pytest.raises(ClientError) as refused:
        aws("sqs").receive_message(QueueUrl=url)
    from_fifo = aws("sqs").receive_message(QueueUrl=fifo["QueueUrl"])
    long_poll = aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1)
    aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=held[0]["ReceiptHandle"])

    assert 5 == len(held)
    assert "OverLimit" == refused.value.response["Error"]["Code"].rpartition(".")[2]
    assert "Messages" not in from_fifo
    assert "Messages" not in long_poll
    assert 1 == len(aws("sqs").receive_message(QueueUrl=url)["Messages"])


def took_s(call: Callable[[], Any]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began
