"""CloudWatch Logs: how lines are stored, kept and found."""
