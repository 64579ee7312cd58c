"""These tests import LocalStack, in which a Docker client that finds no Docker leaves its socket open."""

import os

os.environ["LEGACY_DOCKER_CLIENT"] = "1"  # the one that runs the command, when it is used
