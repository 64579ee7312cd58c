"""Tables of LocalStack's services can be looped over while other calls change them."""

from collections.abc import Iterator

import pytest
from localstack.services.stores import (
    AccountRegionBundle,
    BaseStore,
    CrossAccountAttribute,
    CrossRegionAttribute,
    LocalAttribute,
)

from dlqlab.emulator.core import steady_stores


class Early(BaseStore):  # type: ignore[misc]
    """Of a service that is loaded already."""

    local: dict[str, int] = LocalAttribute(default=dict)
    names: list[str] = LocalAttribute(default=list)


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The change, for one test and its own stores."""
    for kind in (LocalAttribute, CrossRegionAttribute, CrossAccountAttribute):
        monkeypatch.setattr(kind, "__set_name__", kind.__set_name__)
    monkeypatch.setattr(steady_stores, "_stores", lambda: iter([Early]))
    steady_stores.patch()
    yield
    vars(Early)["local"].default = dict


@pytest.mark.usefixtures("patched")
def test_loop_goes_on_while_others_add_and_remove() -> None:
    """In the state of its beginning, for stores that were loaded before and after, of each reach."""

    class Late(BaseStore):  # type: ignore[misc]
        local: dict[str, int] = LocalAttribute(default=dict)
        of_regions: dict[str, int] = CrossRegionAttribute(default=dict)
        of_accounts: dict[str, int] = CrossAccountAttribute(default=dict)

    late = AccountRegionBundle("sqs", Late)["000000000000"]["us-east-1"]
    early = AccountRegionBundle("sqs", Early)["000000000000"]["us-east-1"]
    for table in (early.local, late.local, late.of_regions, late.of_accounts):
        table.update(a=1, b=2)
        seen = []
        for name, value in table.items():
            table.pop(name)
            table[f"{name}{value}"] = value
            seen.append(name)
        assert ["a", "b"] == seen
        for value in table.values():
            table[f"more-{value}"] = value
        assert {"a1": 1, "b2": 2, "more-1": 1, "more-2": 2} == dict(table)
    assert [] == early.names


def test_what_is_not_a_table_is_as_it_was() -> None:
    """Without the change a loop fails: that is what it is for."""
    table = AccountRegionBundle("sqs", Early)["000000000000"]["us-east-1"].local
    table.update(a=1)
    with pytest.raises(RuntimeError, match="changed size"):
        sum(table.setdefault(f"more-{value}", value) for value in table.values())
