"""IAM's decisions by the rules of its evaluation logic."""

from typing import Any

import pytest

from dlqlab.emulator.iam.policies import UNKNOWN, Caller, Need, decide

ACCOUNT = "000000000000"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/f"
SEND = Need("sqs:SendMessage", QUEUE)
KEYS = {"aws:sourcearn": "arn:aws:sns:us-east-1:000000000000:news", "aws:principalarn": ROLE, "aws:sourceip": None}


def policy(
    effect: str = "Allow", action: Any = "sqs:SendMessage", resource: Any = QUEUE, **more: Any
) -> dict[str, Any]:
    return {"Statement": {"Effect": effect, "Action": action, "Resource": resource, **more}}


def role(*policies: dict[str, Any], **more: Any) -> Caller:
    return Caller(name=SESSION, account_id=ACCOUNT, principal_arn=ROLE, identity=policies, **more)


SNS = Caller(name="sns.amazonaws.com", account_id=ACCOUNT)


@pytest.mark.parametrize(
    ("given", "is_allowed"),
    [
        (policy(), True),
        (policy(action="sqs:send*"), True),
        (policy(action=["sqs:ReceiveMessage", "SQS:SendMessage"]), True),
        (policy(action="sqs:SendMessageBatch"), False),
        (policy(resource=QUEUE[:-1] + "?"), True),
        (policy(resource="arn:aws:sqs:*:*:ord.rs"), False),
        (policy(resource=[QUEUE + "-dlq", "*"]), True),
        ({"Statement": [{"Effect": "Allow", "NotAction": "sqs:DeleteQueue", "Resource": "*"}]}, True),
        ({"Statement": [{"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"}]}, False),
        ({"Statement": [{"Effect": "Allow", "Action": "*", "NotResource": QUEUE}]}, False),
        ({}, False),
    ],
)
def test_actions_and_resources_match_by_patterns(given: dict[str, Any], *, is_allowed: bool) -> None:
    """Actions without regard to case, resources with it; a character of a pattern is only itself."""
    assert is_allowed == decide(SEND, role(given), KEYS).is_allowed


def test_nothing_is_allowed_by_default_and_the_message_says_what_lacks() -> None:
    """AWS's wording."""
    found = decide(SEND, role(), KEYS)

    assert (False, "because no identity-based policy allows the sqs:SendMessage action") == (
        found.is_allowed,
        found.why,
    )


def test_a_deny_wins_over_every_allow() -> None:
    """Whichever policy has it."""
    own = decide(SEND, role(policy(), policy("Deny", "sqs:*", "*")), KEYS)
    queues = decide(SEND, role(policy()), KEYS, policy("Deny", Principal="*"))

    assert "with an explicit deny in an identity-based policy" == own.why
    assert "with an explicit deny in a resource-based policy" == queues.why
    assert not own.is_allowed
    assert not queues.is_allowed


def test_a_queue_may_allow_a_role_that_has_no_policy() -> None:
    """Within an account either policy is enough; what is for the account leaves it to the role's own."""
    for principal in (ROLE, SESSION, "*"):
        assert decide(SEND, role(), KEYS, policy(Principal={"AWS": principal})).is_allowed
    for principal in (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ROLE + "-other"):
        assert not decide(SEND, role(), KEYS, policy(Principal={"AWS": principal})).is_allowed


def test_a_service_needs_the_policy_of_the_resource() -> None:
    """And its conditions must hold."""
    names: Any = {"Principal": {"Service": "sns.amazonaws.com"}}
    topic = {"ArnEquals": {"aws:SourceArn": KEYS["aws:sourcearn"]}}
    other = {"ArnEquals": {"aws:SourceArn": f"{KEYS['aws:sourcearn']}-other"}}

    assert decide(SEND, SNS, KEYS, policy(**names)).is_allowed
    assert decide(SEND, SNS, KEYS, policy(**names, Condition=topic)).is_allowed
    assert not decide(SEND, SNS, KEYS, policy(**names, Condition=other)).is_allowed
    assert not decide(SEND, SNS, KEYS, policy(Principal={"Service": "events.amazonaws.com"})).is_allowed
    assert "because no resource-based policy allows the sqs:SendMessage action" == decide(SEND, SNS, KEYS).why


def test_bounds_take_away_and_never_give() -> None:
    """A permissions boundary and a session policy hold for what a role's policies allow."""
    bounded = decide(SEND, role(policy(), boundary=(policy(action="s3:*"),)), KEYS)
    in_session = decide(SEND, role(policy(), session=(policy(action="s3:*"),)), KEYS)

    assert "because no permissions boundary allows the sqs:SendMessage action" == bounded.why
    assert "because no session policy allows the sqs:SendMessage action" == in_session.why
    assert not decide(SEND, role(boundary=(policy(),)), KEYS).is_allowed
    assert decide(SEND, role(policy(), boundary=(policy("Allow", "*", "*"),)), KEYS).is_allowed


def test_a_queues_policy_for_the_role_is_bounded_and_for_its_session_is_not() -> None:
    """As the evaluation logic has it for resource-based policies."""
    bounded = role(boundary=(policy(action="s3:*"),))

    assert not decide(SEND, bounded, KEYS, policy(Principal={"AWS": ROLE})).is_allowed
    assert decide(SEND, bounded, KEYS, policy(Principal={"AWS": SESSION})).is_allowed


def test_a_key_must_allow_by_its_own_policy() -> None:
    """To the account, which leaves it to the role's policies, or to the role."""
    key = Need("kms:Decrypt", "arn:aws:kms:us-east-1:000000000000:key/k")
    own = role(policy(action="kms:Decrypt", resource="*"))
    root = policy(action="kms:*", resource="*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})

    assert not decide(key, own, KEYS, policy(), must_resource_allow=True).is_allowed
    assert decide(key, own, KEYS, root, must_resource_allow=True).is_allowed
    assert not decide(key, role(), KEYS, root, must_resource_allow=True).is_allowed


@pytest.mark.parametrize("condition", [{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"Bool": {"aws:Odd": "true"}}])
def test_what_is_not_known_is_never_guessed(condition: dict[str, Any]) -> None:
    """It is refused and named, unless the decision does not hang on it."""
    doubtful = policy(Sid="Odd", Condition=condition)
    found = decide(SEND, role(doubtful), KEYS)
    operator, keys = next(iter(condition.items()))

    assert not found.is_allowed
    assert f"the Allow statement Odd depends on {operator} {next(iter(keys))}" == found.undecided
    assert decide(SEND, role(doubtful, policy()), KEYS).is_allowed
    assert decide(SEND, role(policy("Deny", Condition=condition), policy()), KEYS).undecided
    assert not decide(SEND, role(policy("Deny", Condition=condition)), KEYS).undecided


def test_a_call_whose_resource_is_not_known_needs_a_policy_for_all() -> None:
    """A statement of some resources might be of this one or not."""
    call = Need("glue:GetTable", UNKNOWN)

    assert decide(call, role(policy(action="glue:*", resource="*")), KEYS).is_allowed
    assert decide(call, role(policy(action="glue:*", resource="arn:aws:glue:*")), KEYS).undecided
    assert not decide(call, role(policy()), KEYS).undecided
