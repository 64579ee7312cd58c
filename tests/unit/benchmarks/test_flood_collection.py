"""What looking on costs: the arithmetic of stretches, orders and ratios."""

from benchmarks.flood_collection import KINDS, Stretch, _both, orders, ratio_text, summary


def test_rate_of_two_stretches_counts_tasks_that_ended_within_them() -> None:
    """Three tasks in four seconds; what ended between the stretches belongs to neither."""
    stretches = [Stretch("sampled", 10.0, 12.0, 0.02), Stretch("sampled", 20.0, 22.0, 0.06)]

    assert (0.75, 0.02) == _both(stretches, [9.9, 10.5, 11.0, 15.0, 21.0, 22.5])


def test_each_round_has_every_kind_in_another_order() -> None:
    """No order comes twice before all have had their turn."""
    found = list(orders(6))

    assert 6 == len(set(found))
    assert all(sorted(KINDS) == sorted(order) for order in found)


def test_one_round_has_no_interval() -> None:
    """A single ratio says nothing about its reach, two do."""
    assert "0.900 not enough data for an interval (95 %, n = 1)" == ratio_text([0.9])
    assert "0.900 ± 1.271 (95 %, n = 2)" == ratio_text([0.8, 1.0])


def test_summary_relates_each_kind_to_alone_of_its_round() -> None:
    """The ratio is of neighbours: rounds on a machine twice as fast give the same one."""
    found = {
        "alone": [(100.0, 0.0), (200.0, 0.0)],
        "sampled": [(98.0, 0.02), (196.0, 0.02)],
        "logs": [(90.0, 0.07), (180.0, 0.07)],
    }
    alone, sampled, logs = summary(found)

    assert "150.0/s (100.0 to 200.0)" in alone
    assert "/ alone" not in alone
    assert "harness 2.0 % of a core  / alone 0.980 ± 0.000 (95 %, n = 2); goal: at least 0.95" in sampled
    assert "/ alone 0.900 ± 0.000" in logs
    assert "goal" not in logs
