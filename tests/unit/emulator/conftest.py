"""These tests import LocalStack: without what takes seconds to load, with a Docker client that closes its socket."""

import os
import sys

from dlqlab.emulator import boot

os.environ["LEGACY_DOCKER_CLIENT"] = "1"  # the one that runs the command, when it is used
os.environ["DOCKER_BRIDGE_IP"] = "172.17.0.1"  # what LocalStack takes where it finds none; it would ping for it
for module, names in boot.DEFERRED.items():
    if module not in sys.modules:
        boot.defer(module, names)
