"""Which messages come from which, and which task each of them belongs to.

keys      a task's key: what a JMESPath finds in a body, whatever it was delivered in
contents  what a body is about, out of the envelopes of SNS, EventBridge, S3, API Gateway
parents   the messages that one may come from: those that trace header or key rule out are left out
tasks     every message of a record to its task: by key, else by the chain of messages that it belongs to

Pure: values and rows go in, values come out.
"""
