"""What the emulator's process leaves out of its start-up work comes when it is asked for."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.loaders import JSONFileLoader

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


@pytest.mark.parametrize("module", boot.DEFERRED)
def test_deferred_names_exist_in_their_modules(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new LocalStack or samtranslator that lacks one of the names is noticed here and not at its first use."""
    monkeypatch.delitem(sys.modules, module, raising=False)  # a stand-in has them all
    real = importlib.import_module(module)
    assert {name for name in boot.DEFERRED[module] if not hasattr(real, name)} == set()


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
