"""What the flight recorder knows as distributed traces: one from the client's request to the last function it reached.

ids          names of traces and spans: those of X-Ray where it knows them, else made of what the span is about
index        which trace a message, an invocation or a call belongs to
model        a span, its events and links
sends        spans of messages that enter a queue
deliveries   spans of messages that are given out
invocations  spans of functions
requests     spans of requests: to a REST API, and from functions to AWS
spans        all spans of one trace
recorded     a recording, trace by trace
documents    spans as segments of X-Ray

Pure: rows of ``contracts.recording`` go in, spans come out. No OpenTelemetry but the names of its attributes.
"""
