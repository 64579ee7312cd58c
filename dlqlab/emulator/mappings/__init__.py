"""Lambda's event source mappings of SQS queues.

    records, filters, rules, responses, validation, scaling
                   what they do, as pure functions
    mapped_queues  a mapping's queue, without HTTP

All others are patches.
"""
