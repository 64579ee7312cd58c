"""What services still owe when all queues are empty: events, schedules, stream records, executions."""
