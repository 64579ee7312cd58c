"""Metrics out of log lines: embedded metric format and metric filters."""
