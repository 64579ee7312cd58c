"""X-Ray: one trace for what the flight recorder knows and what functions send.

xray         the patch: the service, which LocalStack has not
api          its operations
recorded     rows of the traces that are asked for, out of the recorder's files
chunk_index  where in these files rows about something stand
daemon       takes segments by UDP, as AWS's SDKs send them
senders      which invocation a segment is of
sent         segments that functions send, and which of their documents are refused
summaries    what GetTraceSummaries tells of a trace
"""
