"""Quotas of an AWS account, if they are asked for: rates and concurrency that a laptop never reaches unless lowered."""
