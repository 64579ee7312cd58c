"""The task pipeline under test. Imports nothing from the harness; the harness imports the pure modules of it."""
