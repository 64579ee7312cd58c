"""Health check of a service: ``python docker/healthy.py URL`` ends with 0 where the URL answers with success."""
# ruff: noqa: INP001  (a program by itself)

import sys
import urllib.request

TIMEOUT_S = 3

with urllib.request.urlopen(sys.argv[1], timeout=TIMEOUT_S):  # noqa: S310  (the compose file's own URLs)
    pass  # an error status has raised
