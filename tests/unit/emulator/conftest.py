"""These tests import LocalStack: without a grammar that takes seconds, with a Docker client that closes its socket."""

import os
import sys

os.environ["LEGACY_DOCKER_CLIENT"] = "1"  # the one that runs the command, when it is used
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # as dlqlab.emulator.boot does, and why
