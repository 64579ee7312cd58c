"""A sweep's settings: every combination that can be, and the rule that refuses the others."""

import pytest

from dlqlab.contracts.scenario import Scenario
from dlqlab.errors import UsageError
from dlqlab.tune.variations import Variation, combine, parse_variation

SCENARIO = Scenario(name="s")


def test_variation_is_parsed_by_the_type_of_its_setting() -> None:
    """Seconds of a base are numbers, retries whole ones, jitter a name."""
    assert Variation("base_s", (1.0, 2.5)) == parse_variation("base_s=1, 2.5")
    assert Variation("max_retries", (1, 2)) == parse_variation("max_retries=1,2")
    assert Variation("jitter", ("none", "full")) == parse_variation("jitter=none,full")
    assert Variation("breaker", (False, True)) == parse_variation("breaker=false,true")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("base_s", "give a setting and its values"),
        ("base_s=", "give a setting and its values"),
        ("colour=red", "colour cannot be varied; these can: base_s, cap_s"),
        ("max_retries=1.5", "'1.5': give a whole number"),
        ("base_s=1,two", "'two': give a number"),
        ("breaker=yes", "'yes': give true or false"),
        ("base_s=1,1.0", "a value is given twice"),
    ],
)
def test_variation_that_cannot_be_read_is_refused(text: str, said: str) -> None:
    """The error names the setting, the value and what to give."""
    with pytest.raises(UsageError) as caught:
        parse_variation(text)

    assert said in str(caught.value)


def test_every_combination_is_tried() -> None:
    """Two by three are six, each in a scenario of its own; the rest stays as the scenario has it."""
    settings, refusals = combine(SCENARIO, [parse_variation("base_s=1,2"), parse_variation("jitter=none,equal,full")])

    assert [] == refusals
    assert 6 == len({setting.label for setting in settings})
    assert "base_s=1 jitter=none" == settings[0].label
    assert (2.0, "full", 2) == (
        settings[-1].scenario.retry.base_s,
        settings[-1].scenario.retry.jitter,
        settings[-1].scenario.retry.max_retries,
    )


def test_breaker_is_switched() -> None:
    """The breaker is varied as a whole."""
    settings, _ = combine(SCENARIO, [Variation("breaker", (False, True))])

    assert [False, True] == [setting.scenario.breaker.enabled for setting in settings]


def test_nothing_varied_is_the_scenario() -> None:
    """Without variations there is one setting."""
    settings, _ = combine(SCENARIO, [])

    assert ["as the scenario"] == [setting.label for setting in settings]


def test_impossible_combination_is_refused_with_its_rule() -> None:
    """A batch over 10 without a window is refused, the same batch with one is tried."""
    settings, refusals = combine(
        SCENARIO, [parse_variation("batch_size=10,100"), parse_variation("batch_window_s=0,1")]
    )

    assert ["batch_size=100 batch_window_s=0"] == [refusal.label for refusal in refusals]
    assert "a batch_size over 10 needs a window" in refusals[0].reason
    assert 3 == len(settings)


def test_combination_that_loses_tasks_is_refused_with_its_rule() -> None:
    """Lint's errors are refused as well: 395 retries of 900 s outlive the queue's retention, of 2 s they do not."""
    settings, refusals = combine(SCENARIO, [parse_variation("max_retries=2,395"), parse_variation("cap_s=2,900")])

    assert ["max_retries=395 cap_s=900"] == [refusal.label for refusal in refusals]
    assert refusals[0].reason.startswith("retention-covers-retries: 396 attempts can take")
    assert 3 == len(settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "base_s=-1,2",
            "base_s=-1 is impossible in every combination: retry.base_s is -1.0: give seconds of 0 or more",
        ),
        ("batch_size=10,10001", "batch_size=10001 is impossible in every combination: pipeline.batch_size is 10001"),
        (
            "jitter=none,some",
            "jitter=some is impossible in every combination: retry.jitter is 'some': give one of none",
        ),
        ("visibility_timeout_s=5", "visibility_timeout_s=5 is impossible in every combination"),
    ],
)
def test_impossible_value_is_wrong_usage(text: str, said: str) -> None:
    """A value that no combination can have is refused with the rule that it breaks."""
    with pytest.raises(UsageError) as caught:
        combine(SCENARIO, [parse_variation(text)])

    assert said in str(caught.value)


def test_warnings_stay_with_the_setting() -> None:
    """A setting that AWS advises against is tried, and says so."""
    settings, _ = combine(SCENARIO, [parse_variation("visibility_timeout_s=30,60")])

    assert [("visibility-is-ample",), ()] == [setting.warnings for setting in settings]


def test_same_setting_varied_twice_is_refused() -> None:
    """Two lists of one setting would make combinations that contradict themselves."""
    with pytest.raises(UsageError, match="base_s is given twice"):
        combine(SCENARIO, [Variation("base_s", (1.0,)), Variation("base_s", (2.0,))])


def test_too_many_combinations_are_refused() -> None:
    """Fifty by fifty is over the limit."""
    many = tuple(float(value) for value in range(50))

    with pytest.raises(UsageError, match="2,500 combinations"):
        combine(SCENARIO, [Variation("base_s", many), Variation("cap_s", tuple(range(50)))])
