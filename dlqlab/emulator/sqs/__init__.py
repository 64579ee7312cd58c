"""Rules of SQS that LocalStack does not keep, as pure functions.

messages          what is refused of a message, and of the times that a call gives for one
queue_attributes  what is refused of a queue's attributes and policies
expiries          which messages have been kept for longer than their queue keeps them
refusals          the errors, by AWS's codes and texts
"""
