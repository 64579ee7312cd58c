"""Charts of a sweep of settings."""
