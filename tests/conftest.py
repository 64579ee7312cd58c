"""The shell of all tests: no proxies and no AWS settings of its owner. What leads elsewhere, tests set themselves."""

import os

from dlqlab.proxies import without_proxies


def pytest_configure() -> None:
    """Before any test, and any process of a test, reads the environment."""
    kept = {name: value for name, value in without_proxies(os.environ).items() if not name.startswith("AWS_")}
    for name in os.environ.keys() - kept.keys():
        del os.environ[name]
