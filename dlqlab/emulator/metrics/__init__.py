"""CloudWatch's metrics: how values are summed up, written and found."""
