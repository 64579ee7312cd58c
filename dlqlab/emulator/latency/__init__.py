"""Latency as on AWS, if it is asked for: how long calls take there, drawn from a table."""
