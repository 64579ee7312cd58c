"""CloudWatch's alarms: their actions and their history."""
