"""The charts of any pipeline and the numbers on its picture, of a record whose story is known."""

import dataclasses
import xml.etree.ElementTree as ET

import pandas as pd
import pytest

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow_tables import End, concurrency, invocations_table, stays_table, whole_ages
from dlqlab.analysis.node_numbers import node_numbers
from dlqlab.charts import find, names, show
from dlqlab.charts.pipeline.function_concurrency import thinned
from dlqlab.contracts.topology import Topology
from dlqlab.report.topology.of_run import drawn
from tests.support import flows
from tests.support.flows import Story
from tests.support.stages import PROMISE, TOPOLOGY, story

OF_A_PIPELINE = [name for name, subject in names().items() if subject == "pipeline"]

FINDINGS = {
    "receive_failures": "30.8 % of 26 attempts failed",
    "receive_waits": "1 of 5 waits after a failure differs from the promise by more than 0.50 s",
    "ages_at_end": "Half of the messages with all that came of them were at their end after 1.00 s",
    "flow_rates": "21 entered, 18 done, 2 dead-lettered, 1 lost over 2 queues",
    "function_concurrency": "At most 2 invocations of ",
    "dead_letter_causes": "2 of 2 dead letters: ValueError: on purpose",
}


@pytest.fixture(scope="module")
def facts() -> Facts:
    return flows.facts(story(), PROMISE, TOPOLOGY)


def test_every_message_has_its_end_and_the_message_that_it_comes_from(facts: Facts) -> None:
    stays = stays_table(facts.flow)
    orders = stays[stays["queue"] == "tasks"].set_index("message_id")["end"]

    assert {"o0": End.DEAD_LETTERED, "o1": End.DEAD_LETTERED, "o2": End.DONE, "o3": End.LOST} == orders[:4].to_dict()
    assert [End.DONE] == list(orders[4:].unique())
    assert [End.OPEN] == list(stays.loc[stays["is_letter"], "end"].unique())
    assert stays[stays["queue"] == "bills"]["first_id"].tolist() == [
        one.removeprefix("b-") for one in stays[stays["queue"] == "bills"]["message_id"]
    ]


def test_age_over_hops_is_from_the_first_entry_to_the_last_end(facts: Facts) -> None:
    """An order took 0.5 s and its bill another 0.5 s; one failed first, and waited; dead letters end when moved."""
    found = whole_ages(stays_table(facts.flow))

    assert found[["o0", "o2", "o3", "o4"]].tolist() == pytest.approx([7.5, 4.5, 0.5, 1.0])


def test_age_of_what_is_still_there_is_not_known() -> None:
    stays = stays_table(flows.facts(Story().sent("m1").sent("m2").tried("m2", 1).deleted("m2", 2)).flow)

    assert whole_ages(stays).to_dict() == {"m2": 2.0}


def test_numbers_on_the_picture(facts: Facts) -> None:
    """All that the story tells, and nothing of what did not happen."""
    numbers = node_numbers(facts)

    assert numbers["queue orders"][:2] == ("12 entered, 9 done", "2 dead-lettered, 1 lost")
    assert numbers["queue dead"] == ("2 entered, 2 still there",)
    assert numbers["queue bills"] == ("9 entered, 9 done", "95 % left within 0.50 s")
    assert numbers["function worker"][:2] == ("17 invocations, 7 with an error", "47.1 % of 17 attempts failed")
    texts = ["".join(each.itertext()) for each in ET.fromstring(drawn(facts).svg or "").iter()]
    assert {line for lines in numbers.values() for line in lines} <= set(texts)


def test_picture_without_a_record_says_so(facts: Facts) -> None:
    bare = Facts(dataclasses.replace(facts.run, recording=None))

    assert drawn(bare).text.startswith(
        "no numbers on it: the record of the messages is not there: nothing was recorded"
    )
    assert drawn(bare).svg is not None
    assert drawn(Facts(dataclasses.replace(bare.run, topology=None))).svg is None


def test_concurrency_counts_what_overlaps() -> None:
    """Two that overlap, one that begins when another ends, one throttled, one without an end."""
    rows = [("f", 0.0, 2.0, "ok"), ("f", 1.0, 3.0, "ok"), ("f", 3.0, 4.0, "error"), ("f", 1.5, 1.6, "throttled")]
    invocations = pd.DataFrame(
        [*rows, ("g", 1.0, None, None)], columns=["function", "started_ts", "ended_ts", "outcome"]
    )

    found = concurrency(invocations, until_ts=5.0)

    assert found[found["function"] == "f"][["ts", "at_once"]].to_numpy().tolist() == [
        [0, 1], [1, 2], [2, 1], [3, 1], [4, 0],
    ]  # fmt: skip
    assert found[found["function"] == "g"][["ts", "at_once"]].to_numpy().tolist() == [[1, 1], [5, 0]]


def test_thinned_concurrency_keeps_peaks_and_ends() -> None:
    """What is too narrow to be seen is drawn by its highest and its last value."""
    many = pd.DataFrame({"t_s": [n / 1000 for n in range(10_000)], "function": "f", "at_once": [1, 0] * 5000})
    many.loc[4321, "at_once"] = 9

    found = thinned(many, steps=100)

    assert len(found) <= 202
    assert (found["at_once"].max(), found["at_once"].iloc[-1]) == (9, 0)
    assert found["t_s"].is_monotonic_increasing
    assert thinned(many.head(50), steps=100).equals(many.head(50))


def test_functions_of_others_are_left_out() -> None:
    told = Story().tried("m1", 1, function="worker").tried("m2", 1, function="a-stranger")

    assert invocations_table(flows.facts(told, None, TOPOLOGY))["function"].tolist() == ["worker"]


@pytest.mark.parametrize("name", OF_A_PIPELINE)
def test_chart_says_what_happened(facts: Facts, name: str) -> None:
    assert show(name, facts).alt.startswith(FINDINGS[name])


@pytest.mark.parametrize("name", OF_A_PIPELINE)
def test_chart_without_a_record_says_so(facts: Facts, name: str) -> None:
    bare = Facts(dataclasses.replace(facts.run, recording=None))

    assert "no data: the record of the messages is not there: nothing was recorded" in show(name, bare).alt


@pytest.mark.parametrize("name", OF_A_PIPELINE)
def test_chart_of_a_pipeline_without_messages_says_so(name: str) -> None:
    empty = flows.facts(Story(), PROMISE, Topology(name="idle"))

    assert show(name, empty).alt.startswith(f"{find(name).title}: no data: ")


def test_promised_numbers_stand_in_the_charts() -> None:
    """Without a promise the wait is told; with a promised rate it stands in the title."""
    free = flows.facts(story(), None, TOPOLOGY)
    bound = flows.facts(story(), dataclasses.replace(PROMISE, failure_rate=0.3), TOPOLOGY)

    assert show("receive_waits", free).alt == "The median of 5 waits after a failure is 3.00 s; none is promised"
    assert show("receive_failures", bound).alt.endswith("; promised are 30 %")
