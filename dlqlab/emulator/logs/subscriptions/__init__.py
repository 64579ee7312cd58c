"""Subscription filters: lines of a log group on their way to a function."""
