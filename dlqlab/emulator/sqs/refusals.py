"""What SQS answers in the place of doing what it was asked."""


class RefusedError(ValueError):
    """A call, or an entry of a batch, that SQS refuses.

    ``code`` is that of the AWS query protocol without a prefix (``InvalidParameterValue``), ``text`` its message.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


def invalid_parameter(text: str) -> RefusedError:
    return RefusedError("InvalidParameterValue", text)


def invalid_value(value: object, parameter: str, reason: str) -> RefusedError:
    """The wording that SQS has for most parameters."""
    return invalid_parameter(f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")
