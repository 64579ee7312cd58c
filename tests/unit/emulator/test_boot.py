"""What the emulator's process leaves out of its start-up work comes when it is asked for."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader
from werkzeug.routing import Map, MapAdapter, Rule

from dlqlab.emulator import boot

MODULE = "dlqlab_deferred_sample"
SOURCE = "def double(n):\n    return 2 * n\n\nOTHER = 7\n"


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / f"{MODULE}.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    boot.defer(MODULE, ("double",))
    yield MODULE
    sys.modules.pop(MODULE, None)


def test_import_of_a_deferred_name_leaves_its_module_unread(sample: str) -> None:
    """``from module import name`` gives a callable and not yet the module."""
    assert callable(importlib.import_module(sample).double)
    assert not hasattr(sys.modules[sample], "__file__")


def test_call_of_a_deferred_name_imports_its_module(sample: str) -> None:
    """The call answers as the real function does, and the real module takes its place."""
    double = importlib.import_module(sample).double
    assert double(21) == 42
    assert sys.modules[sample].OTHER == 7
    assert hasattr(sys.modules[sample], "__file__")
    assert double(4) == 8


def test_any_other_name_of_a_deferred_module_is_the_real_one(sample: str) -> None:
    """Code that wants more than the deferred names gets the module."""
    assert importlib.import_module(sample).OTHER == 7


ALL_DEFERRED = {**boot.DEFERRED, **boot.VALIDATION}


@pytest.mark.parametrize("module", ALL_DEFERRED)
def test_deferred_names_exist_in_their_modules(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new LocalStack or samtranslator that lacks one of the names is noticed here and not at its first use."""
    for deferred in ALL_DEFERRED:
        monkeypatch.delitem(sys.modules, deferred, raising=False)  # a stand-in has them all
    real = importlib.import_module(module)
    assert {name for name in ALL_DEFERRED[module] if not hasattr(real, name)} == set()


@pytest.mark.parametrize("name", boot.VALIDATES)
def test_what_validates_is_deferred_unless_it_is_asked_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By LocalStack's own settings; an empty one asks for nothing."""
    for each in boot.VALIDATES:
        monkeypatch.delenv(each, raising=False)
    by_default = boot.validates()
    monkeypatch.setenv(name, "")
    empty = boot.validates()
    monkeypatch.setenv(name, "1")

    assert (False, False, True) == (by_default, empty, boot.validates())


def test_addresses_of_routes_are_compiled_when_one_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are those that werkzeug makes, with and without values that the route does not know; matching needs none."""
    compiled: list[bool] = []
    original = Rule._compile_builder

    def counted(rule: Rule, append_unknown: bool = True) -> Any:
        compiled.append(append_unknown)
        return original(rule, append_unknown)

    def routes() -> MapAdapter:
        rules = [Rule("/stacks/<name>/<int:number>", endpoint="stack"), Rule("/", endpoint="root")]
        return Map(rules).bind("localhost")

    values = {"name": "a b", "number": 7}
    more = {**values, "page": "2"}
    expected = [routes().build("stack", of, append_unknown=known) for of in (values, more) for known in (True, False)]
    monkeypatch.setattr(Rule, "_compile_builder", counted)
    boot.compile_addresses_when_asked()
    lazy = routes()
    matched = lazy.match("/stacks/a/3")
    before = list(compiled)
    built = [lazy.build("stack", of, append_unknown=known) for of in (values, more) for known in (True, False)]

    assert (("stack", {"name": "a", "number": 3}), []) == (matched, before)
    assert expected == built
    assert [True, False] == compiled


def test_endpoints_are_parsed_once_and_other_data_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions share what is read only; a service's model, which botocore changes, is everybody's own."""
    read: list[str] = []

    def load_file(_self: JSONFileLoader, path: str) -> dict[str, str]:
        read.append(path)
        return {"path": path}

    monkeypatch.setattr(JSONFileLoader, "load_file", load_file)
    boot.parse_endpoints_once()
    found = [JSONFileLoader().load_file(path) for path in ("data/endpoints", "data/endpoints", "sqs/service-2")]
    again = JSONFileLoader().load_file("sqs/service-2")
    assert read == ["data/endpoints", "sqs/service-2", "sqs/service-2"]
    assert found[0] is found[1]
    assert found[2] is not again
