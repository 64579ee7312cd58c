"""Names of traces: X-Ray's and OpenTelemetry's are the same one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.traces.ids import span_id, trace_id, xray_id

HEX = st.text("0123456789abcdef", min_size=24, max_size=24)


@given(HEX)
def test_an_xray_id_comes_back(unique: str) -> None:
    root = f"1-6b0b29af-{unique}"

    assert root == xray_id(trace_id(root))


@pytest.mark.parametrize("root", ["", "1-2-3", "1-00000000-" + "0" * 24, "ünsinn"])
def test_what_is_no_xray_id_gets_one_all_the_same(root: str) -> None:
    """The same for the same text, and never the invalid one of zeros."""
    found = trace_id(root)

    assert (32, True) == (len(found), int(found, 16) > 0)
    assert found == trace_id(root) != trace_id(root + "x")


def test_span_ids_depend_on_all_they_are_about() -> None:
    assert 4 == len({span_id("send", "q", "m"), span_id("send", "qm", ""), span_id("send", "m"), span_id("q", "m")})
