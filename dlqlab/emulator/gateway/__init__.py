"""The way of a request from its connection to a service: LocalStack's chain of handlers, or straight."""
