"""Amazon Data Firehose to S3, in this process.

    prefixes    names of objects
    settings    what a stream's configuration says, and what of it is refused
    transforms  what a function makes of records
    delivering  buffers, and objects of what was in them
    sources     Kinesis streams that are read
    api         the operations
    resource    AWS::KinesisFirehose::DeliveryStream

The first three are pure.
"""
