"""What Lambda's event source mappings of SQS queues do, as pure functions: records, filters, answers, settings."""
