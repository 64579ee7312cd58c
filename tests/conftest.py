"""The shell of all tests: no proxies and no AWS settings of its owner. What leads elsewhere, tests set themselves."""

import gc
import logging
import os
import sys

import hypothesis
import pytest
from localstack import config as localstack_config

from dlqlab.emulator import boot
from dlqlab.emulator.host import service_catalog_cache
from dlqlab.proxies import without_proxies
from tests.support.service_catalog import make_service_catalog


def pytest_configure(config: pytest.Config) -> None:
    """Before any test, and any process of a test, reads the environment."""
    kept = {name: value for name, value in without_proxies(os.environ).items() if not name.startswith("AWS_")}
    for name in os.environ.keys() - kept.keys():
        del os.environ[name]
    # Whatever imports jsonschema makes it compile a grammar otherwise: a fifth of what it takes to collect all tests.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # as dlqlab.emulator.boot does, and why
    for module, names in boot.VALIDATION.items():  # likewise
        if module not in sys.modules:
            boot.defer(module, names)
    localstack_config.dirs.static_libs = str(service_catalog_cache.KEPT)
    if not hasattr(config, "workerinput"):  # before there are workers, which would all make one
        make_service_catalog()
    gc.disable()  # until the tests are collected
    hypothesis.settings.register_profile("dlqlab", deadline=None)  # on a busy machine any example may take long
    hypothesis.settings.register_profile("quick", deadline=None, max_examples=25)  # by --hypothesis-profile
    hypothesis.settings.load_profile("dlqlab")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What the imports have made stays: a collector that walks through it again and again takes a tenth of all time."""
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)  # tables and syntax trees are made in hundred thousands of objects
    gc.enable()


@pytest.fixture(autouse=True)
def own_loggers() -> None:
    """Loggers of dlqlab as in a fresh process: libraries that tests of the same process used may have set them up."""
    if logging.root.manager.disable != logging.NOTSET:
        logging.disable(logging.NOTSET)
    for name, logger in logging.root.manager.loggerDict.items():
        if name.partition(".")[0] == "dlqlab" and isinstance(logger, logging.Logger):
            logger.disabled, logger.propagate = False, True
            if logger.level != logging.NOTSET:  # each change empties the caches of all loggers
                logger.setLevel(logging.NOTSET)
