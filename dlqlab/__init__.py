"""dlqlab: load-test a retry and dead-letter pipeline on a laptop and prove what happened to every task."""

__version__ = "0.2.0"
