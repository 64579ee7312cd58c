"""A run's traces for whoever reads OpenTelemetry.

otel       spans as the OpenTelemetry SDK has them
otlp       to a file or to a collector, some traces at a time
"""
