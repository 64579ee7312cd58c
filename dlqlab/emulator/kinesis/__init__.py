"""Kinesis Data Streams, in this process: nothing is downloaded, no server runs beside the emulator.

streams    shards, their records and hash keys, resharding; no services
iterators  shard iterators
api        every operation, checked against the API's model
control    operations on streams; records: those on their records; attached: on tags and consumers
"""
