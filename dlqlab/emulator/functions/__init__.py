"""The Lambda service: what it refuses of functions, and how they are created, updated, timed and deleted."""
