"""Every rule fires on settings that break it, and only then."""

from dataclasses import replace
from typing import Any

import pytest

from dlqlab.contracts.scenario import Load
from dlqlab.lint.rule import Rule, Severity
from dlqlab.lint.rule import lint as apply
from dlqlab.lint.rules import RULES
from dlqlab.lint.settings import Consumer, Function, Mapping, Queue, Redrive, Settings
from taskrules.breaker import BreakerPolicy
from taskrules.faults import FaultMode, FaultPlan
from taskrules.retry import Jitter, RetryPolicy

BY_ID = {rule.id: rule for rule in RULES}

SOUND = Settings(
    subject="a stack without fault",
    tasks=Consumer(
        queue=Queue(name="tasks", visibility_timeout_s=60, retention_s=345_600, delay_s=0, max_message_bytes=1_048_576),
        function=Function(name="processor", timeout_s=10, variables_bytes=800, reports_failures=True),
        mapping=Mapping(batch_size=10),
    ),
    dead_letters=Consumer(
        queue=Queue(
            name="letters", visibility_timeout_s=60, retention_s=1_209_600, delay_s=0, max_message_bytes=1_048_576
        ),
        function=Function(name="monitor", timeout_s=10, variables_bytes=800, reports_failures=True),
        mapping=Mapping(batch_size=10),
    ),
    redrive=Redrive(max_receive_count=5),
    retry=RetryPolicy(max_retries=4, base_s=4),
    faults=FaultPlan(failure_rate=0.3),
    api=Function(name="api", timeout_s=10, variables_bytes=800),
    load=Load(),
    drain_s=120,
    queue_names=("tasks", "letters", "process"),
    function_names=("processor", "monitor", "api"),
)
"""What every rule can be held against, and none complains of."""


def queue(**changes: Any) -> Settings:
    """Sound settings with another task queue."""
    return replace(SOUND, tasks=replace(SOUND.tasks, queue=replace(SOUND.tasks.queue, **changes)))


def letters(**changes: Any) -> Settings:
    """Sound settings with another dead-letter queue."""
    assert SOUND.dead_letters
    return replace(SOUND, dead_letters=replace(SOUND.dead_letters, queue=replace(SOUND.dead_letters.queue, **changes)))


def mapping(settings: Settings = SOUND, **changes: Any) -> Settings:
    """Settings with another mapping of the processor."""
    assert settings.tasks.mapping
    return replace(settings, tasks=replace(settings.tasks, mapping=replace(settings.tasks.mapping, **changes)))


def function(settings: Settings = SOUND, **changes: Any) -> Settings:
    """Settings with another processor."""
    return replace(settings, tasks=replace(settings.tasks, function=replace(settings.tasks.function, **changes)))


def retry(settings: Settings = SOUND, **changes: Any) -> Settings:
    """Settings with another retry policy, and the receives that it needs."""
    policy = RetryPolicy(**{"max_retries": 4, "base_s": 4.0} | changes)
    return replace(settings, retry=policy, redrive=Redrive(max_receive_count=policy.max_attempts))


def faults(settings: Settings = SOUND, **changes: Any) -> Settings:
    """Settings with another fault plan."""
    return replace(settings, faults=FaultPlan(**changes))


def load(settings: Settings = SOUND, **changes: Any) -> Settings:
    """Settings with another load."""
    return replace(settings, load=Load(**changes))


THROTTLED = function(mapping(max_concurrency=20), reserved_concurrency=10)
FIFO = replace(letters(is_fifo=True), tasks=queue(is_fifo=True).tasks)
LONG = retry(base_s=900.0, cap_s=900)

BREACHES: dict[str, list[tuple[Settings, str]]] = {
    "visibility-range": [(queue(visibility_timeout_s=50_000), "50000 s"), (letters(visibility_timeout_s=-5), "-5 s")],
    "retention-range": [(queue(retention_s=30), "30 s"), (letters(retention_s=1_300_000), "1300000 s")],
    "delay-range": [(queue(delay_s=901), "901 s")],
    "redrive-policy": [(replace(SOUND, redrive=None), "tasks has no redrive policy")],
    "redrive-allowed": [
        (replace(SOUND, redrive=Redrive(max_receive_count=5, is_allowed=False)), "does not list tasks")
    ],
    "receive-count-range": [(replace(SOUND, redrive=Redrive(max_receive_count=1_001)), "1001")],
    "receives-cover-attempts": [(replace(SOUND, redrive=Redrive(max_receive_count=2)), "makes 5 attempts")],
    "receives-end-with-attempts": [(replace(SOUND, redrive=Redrive(max_receive_count=9)), "only 5 attempts")],
    "dead-letters-outlive-tasks": [(letters(retention_s=345_600), "tasks for 345600 s")],
    "queue-types": [(queue(is_fifo=True), "tasks is FIFO, letters is standard")],
    "message-size": [(replace(queue(max_message_bytes=262_144), load=None), "262,144 fit")],
    "name-prefix": [(replace(SOUND, queue_names=("tasks", "tasks-dlq")), "tasks is the beginning of tasks-dlq")],
    "one-mapping": [
        (replace(SOUND, tasks=replace(SOUND.tasks, mappings=2)), "has 2 event source mappings"),
        (replace(SOUND, tasks=replace(SOUND.tasks, mapping=None, mappings=0)), "has 0 event source mappings"),
    ],
    "mapping-enabled": [(mapping(is_enabled=False), "tasks is disabled")],
    "batch-range": [(mapping(batch_size=10_001), "outside 1 to 10000"), (mapping(FIFO, batch_size=11), "1 to 10 of")],
    "window-range": [(mapping(batch_window_s=301), "301 s")],
    "fifo-window": [(mapping(FIFO, batch_window_s=1), "window 1 s")],
    "batch-has-window": [(mapping(batch_size=11), "batch size 11 without a window")],
    "max-concurrency-range": [(mapping(max_concurrency=1), "MaximumConcurrency 1")],
    "pollers-range": [
        (mapping(pollers=(1, 10)), "1 to 10"),
        (mapping(pollers=(20, 10)), "20 to 10"),
        (mapping(pollers=(2, 10_001)), "2 to 10001"),
    ],
    "pollers-disputed": [
        (mapping(pollers=(2, 2_001)), "up to 2,001 provisioned pollers"),
        (mapping(pollers=(2, 10_000)), "up to 10,000 provisioned pollers"),
    ],
    "one-concurrency-limit": [(mapping(max_concurrency=5, pollers=(2, 10)), "MaximumConcurrency 5")],
    "silent-loss": [(mapping(response_types=()), "response types []")],
    "batch-payload": [
        (load(mapping(batch_size=1_000, batch_window_s=1), payload_bytes=262_144), "262,144,000, an invocation takes")
    ],
    "visibility-covers-timeout": [(function(timeout_s=61), "over the visibility timeout of 60 s")],
    "visibility-is-ample": [
        (function(timeout_s=11), "under 6 x 11 s"),
        (mapping(batch_window_s=1), "window of 1 s = 61 s"),
    ],
    "function-timeout-range": [(function(timeout_s=901), "901 s"), (function(timeout_s=0), "timeout 0 s")],
    "failures-raise": [(function(reports_failures=False), "processor raises")],
    "function-switched-off": [(function(reserved_concurrency=0), "reserved concurrency 0")],
    "reserved-covers-pollers": [(THROTTLED, "reserved concurrency 10, and its mapping may run 20")],
    "receives-survive-throttles": [(replace(THROTTLED, redrive=Redrive(max_receive_count=3)), "can be throttled")],
    "receives-are-few": [(retry(max_retries=2), "maxReceiveCount 3")],
    "api-timeout": [(replace(SOUND, api=Function(name="api", timeout_s=30)), "waits 29 s")],
    "variables-size": [(function(variables_bytes=4_097), "4,097 bytes")],
    "variables-readable": [(replace(SOUND, problem="processor: SEED is 'x'"), "SEED is 'x'")],
    "total-invisibility": [(function(timeout_s=43_000), "43000 s + backoff of up to 900 s")],
    "retention-covers-retries": [
        (retry(max_retries=999, base_s=900.0), "the task queue keeps a message 345,600 s"),
        (replace(LONG, tasks=queue(retention_s=60).tasks), "keeps a message 60 s"),
    ],
    "backoff-waits": [(retry(base_s=0.4), "0.4 s is 0 s")],
    "cap-over-base": [(retry(base_s=20.0, cap_s=10), "cap_s 10 is under base_s 20")],
    "jitter-spreads": [(retry(base_s=1.0, jitter=Jitter.FULL), "2 delays to choose from: 0 to 1 s")],
    "storm-is-spread": [(faults(outage_duration_s=6.0), "an outage of 6 s, and jitter none")],
    "retries-outlast-outage": [(faults(outage_duration_s=61.0), "end within 60 s")],
    "breaker-ignores-noise": [(replace(SOUND, breaker=BreakerPolicy()), "5 of 10 calls fail by chance in 15 %")],
    "deaths-come-back-soon": [(faults(timeout_rate=0.1), "a task waits 60 s, after an error 4 s")],
    "deaths-burn-one": [(faults(crash_before_rate=0.1), "up to 10 messages")],
    "work-fits-timeout": [(faults(slow_rate=0.5, slow_s=3.0), "take 15 s one after the other")],
    "window-under-backoff": [(mapping(batch_window_s=5), "a window of 5 s, and a first backoff of 4 s")],
    "drain-waits": [(replace(SOUND, drain_s=59), "drain.deadline_s 59, and a task can wait 60 s")],
    "backoffs-fit-in-flight": [
        (load(LONG, rate_per_s=1_000.0, tasks=10_000_000, duration_s=3_600.0), "messages wait in backoffs")
    ],
    "batches-fit-in-flight": [(mapping(batch_size=1_000, batch_window_s=1), "1,250 batches of 1,000 messages")],
    "gateway-rate": [(load(rate_per_s=10_001.0), "10,001 tasks/s")],
    "item-size": [(retry(max_retries=700), "701 attempts make an item of 455,850 bytes")],
}
"""For each rule settings that break it, with what the statement must name."""

SPARED: dict[str, list[Settings]] = {
    "message-size": [queue(max_message_bytes=262_144)],  # the load's payloads of 200 bytes fit
    "silent-loss": [function(mapping(response_types=()), reports_failures=False)],  # it raises: the batch stays
    "batch-range": [mapping(batch_size=10_000, batch_window_s=1), mapping(FIFO, batch_size=10)],
    "batch-has-window": [mapping(batch_size=11, batch_window_s=1)],
    "pollers-range": [mapping(pollers=(2, 10_000)), mapping(pollers=(200, 200))],
    "pollers-disputed": [mapping(pollers=(2, 2_000)), mapping(pollers=(2, 10_001))],  # the error says that
    "visibility-is-ample": [function(timeout_s=61)],  # the error says it already
    "reserved-covers-pollers": [function(mapping(max_concurrency=10), reserved_concurrency=10)],
    "receives-survive-throttles": [retry(max_retries=2)],
    "receives-are-few": [replace(THROTTLED, redrive=Redrive(max_receive_count=3))],  # the warning says it
    "redrive-allowed": [SOUND],
    "jitter-spreads": [retry(base_s=8.0, jitter=Jitter.EQUAL), retry(base_s=1.0)],
    "storm-is-spread": [
        replace(faults(outage_duration_s=6.0), breaker=BreakerPolicy()),
        faults(retry(jitter=Jitter.FULL), outage_duration_s=6.0),
    ],
    "retries-outlast-outage": [
        replace(faults(outage_duration_s=61.0), breaker=BreakerPolicy()),
        faults(outage_duration_s=60.0),
    ],
    "breaker-ignores-noise": [
        replace(SOUND, breaker=BreakerPolicy(min_calls=50)),
        replace(faults(mode=FaultMode.NONE), breaker=BreakerPolicy()),
    ],
    "deaths-burn-one": [mapping(faults(crash_before_rate=0.1), batch_size=1)],
    "backoff-waits": [retry(max_retries=0, base_s=0.0)],
    "work-fits-timeout": [faults(slow_rate=0.1, slow_s=3.0)],
    "backoffs-fit-in-flight": [
        load(rate_per_s=1_000.0, tasks=3_600_000, duration_s=3_600.0),
        faults(load(LONG, rate_per_s=1_000.0, tasks=3_600_000, duration_s=3_600.0), mode=FaultMode.NONE),
        load(LONG, rate_per_s=1_000.0, tasks=100_000),  # no more wait than there are
    ],
    "drain-waits": [replace(SOUND, drain_s=60)],
}
"""Settings near a breach that are none."""


def statements(rule: Rule[Settings], settings: Settings) -> list[str]:
    """What one rule says."""
    return [finding.statement for finding in apply(settings, [rule]).findings]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_rule_fires_on_a_breach(rule: Rule[Settings]) -> None:
    """Each of its breaches makes one statement that names the offending value."""
    cases = BREACHES[rule.id]
    said = [statements(rule, settings) for settings, _ in cases]

    assert cases
    assert [1] * len(cases) == [len(one) for one in said]
    assert [] == [expected for (_, expected), (text,) in zip(cases, said, strict=True) if expected not in text]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_rule_is_silent_without_a_breach(rule: Rule[Settings]) -> None:
    """It can be held against sound settings, and says nothing of them or of what is near a breach."""
    assert [] == rule.check(SOUND)
    assert [] == [text for settings in SPARED.get(rule.id, []) for text in statements(rule, settings)]


def test_rules_have_names_of_their_own() -> None:
    """No id is used twice, and every breach and case belongs to a rule."""
    assert len(RULES) == len(BY_ID)
    assert set(BY_ID) == set(BREACHES)
    assert set(SPARED) <= set(BY_ID)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_rule_says_why_and_what_to_do(rule: Rule[Settings]) -> None:
    """Why, source and remedy are there, the first and the last as sentences."""
    assert rule.why.endswith(".")
    assert rule.remedy.endswith(".")
    assert rule.source


def test_what_settings_do_not_tell_is_not_checked() -> None:
    """A rule about something unknown is listed as not checked, never as kept."""
    bare = Settings(subject="bare", tasks=replace(SOUND.tasks, queue=Queue(name="tasks", visibility_timeout_s=60)))
    result = apply(bare, RULES)

    assert {"retention-range", "queue-types", "backoff-waits", "api-timeout", "gateway-rate"} <= set(result.unchecked)
    assert len(RULES) == result.checked + len(result.unchecked)


def test_worst_findings_come_first() -> None:
    """Errors before warnings before information."""
    worst = mapping(function(retry(max_retries=2), timeout_s=11), response_types=())
    result = apply(worst, RULES)

    assert ["silent-loss", "visibility-is-ample", "receives-are-few"] == [one.rule.id for one in result.findings]
    assert (1, 1, 1) == tuple(result.count(severity) for severity in Severity)
