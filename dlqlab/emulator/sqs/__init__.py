"""SQS as AWS has it: rules that LocalStack does not keep, as pure functions, and the patches that ask them.

    messages          what is refused of a message, and of the times that a call gives for one
    queue_attributes  what is refused of a queue's attributes and policies
    expiries          which messages have been kept for longer than their queue keeps them
    refusals          the errors, by AWS's codes and texts; errors has them as LocalStack's exceptions

All others are patches.
"""
