"""Terms of statements: values, document paths, functions, sums."""

from collections.abc import Callable, Sequence

from dlqlab.emulator.dynamodb.grammar import Path
from dlqlab.emulator.dynamodb.numeric import canonical
from dlqlab.emulator.dynamodb.operations.partiql import syntax
from dlqlab.emulator.dynamodb.operations.partiql.text import END, Token, malformed, tokens_of
from dlqlab.emulator.dynamodb.stored import make
from dlqlab.emulator.dynamodb.unsupported import InvalidError
from dlqlab.emulator.dynamodb.values import NESTED_TOO_DEEPLY, NESTING_MAX, Value

NESTED_MAX = 100
"""Parentheses, NOTs and functions in one statement, so that none exhausts the stack."""
FUNCTIONS = frozenset(
    {
        "begins_with",
        "contains",
        "attribute_type",
        "attribute_exists",
        "attribute_not_exists",
        "size",
        "list_append",
        "set_add",
        "set_delete",
    }
)
_BAG = "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"
_TERM = "Unexpected term"


class Terms:
    """Reads tokens from left to right; question marks take the parameters in their order."""

    def __init__(self, text: str, parameters: Sequence[Value]) -> None:
        self._tokens = tokens_of(text)
        self._place = 0
        self._parameters = parameters
        self._used = 0
        self._nested = 0

    def peek(self) -> Token:
        return self._tokens[self._place]

    def take(self) -> Token:
        token = self.peek()
        self._place += token is not END
        return token

    def accept(self, *signs: str) -> str | None:
        """The next token if it is one of these signs."""
        token = self.peek()
        return self.take().text if token.kind == "sign" and token.text in signs else None

    def keyword(self, *words: str) -> str | None:
        """The next token if it is one of these keywords."""
        return self.take().text.upper() if self.peek().keyword in words else None

    def word(self, *words: str) -> str | None:
        """The next token if it is one of these words, reserved or not."""
        token = self.peek()
        return self.take().text.upper() if token.kind == "word" and token.text.upper() in words else None

    def expect(self, sign: str) -> None:
        if not self.accept(sign):
            raise self._wrong()

    def expect_keyword(self, word: str) -> None:
        if not self.keyword(word):
            raise self._wrong()

    def _wrong(self) -> InvalidError:
        return malformed("Unexpected keyword" if self.peek().keyword else "Unexpected term")

    def nest(self) -> None:
        self._nested += 1
        if self._nested > NESTED_MAX:
            raise InvalidError("The statement has too many parentheses and functions")

    def _right[T](self, read: Callable[[], T]) -> T:
        if self.peek().kind == "end":
            raise malformed("Missing right-hand side expression of infix operator")
        return read()

    def check_parameters(self) -> None:
        """Refuse parameters that no question mark takes."""
        if self._used != len(self._parameters):
            raise InvalidError("Number of parameters in request and statement don't match.")

    def _parameter(self) -> Value:
        if self._used >= len(self._parameters):
            raise InvalidError("Number of parameters in request and statement don't match.")
        self._used += 1
        return self._parameters[self._used - 1]

    def path(self, missing: str) -> Path:
        """A document path: names with dots, indexes and names in brackets."""
        token = self.peek()
        if token.kind not in {"word", "quoted"}:
            raise malformed(missing)
        if token.keyword:
            raise malformed("Unexpected keyword")
        steps: list[str | int] = [self.take().text]
        while sign := self.accept(".", "["):
            token = self.take()
            if sign == "." and token.kind in {"word", "quoted"} and not token.keyword:
                steps.append(token.text)
            elif sign == "[" and token.kind == "number" and token.text.isdecimal():
                steps.append(int(token.text))
                self.expect("]")
            elif sign == "[" and token.kind == "string":
                steps.append(token.text)
                self.expect("]")
            elif token.text == "*":
                raise InvalidError(
                    "Wildcard path component like a[*].b are not supported"
                    if sign == "["
                    else "Unpivot path component like a.*.b are not supported"
                )
            else:
                raise InvalidError("Unexpected path component")
        if "" in steps:
            raise InvalidError("Path component cannot be an empty string")
        if len(steps) > NESTING_MAX:
            raise InvalidError("The document path has too many nesting elements")
        return tuple(steps)

    def function(self) -> str | None:
        """The name, in lower case, of the function whose call comes next."""
        token, after = self.peek(), self._tokens[min(self._place + 1, len(self._tokens) - 1)]
        is_call = token.kind == "word" and (after.kind, after.text) == ("sign", "(")
        return token.text.lower() if is_call and token.keyword not in {"NOT", "AND", "OR", "IN"} else None

    def term(self) -> syntax.Term:
        """A term, or the sum or difference of two."""
        left = self._simple()
        sign = self.accept("+", "-")
        return syntax.Sum(sign, left, self._right(self._simple)) if sign else left

    def _simple(self) -> syntax.Term:
        token = self.peek()
        name = self.function()
        if name:
            return self._call(name)
        if token.keyword == "MISSING":
            raise InvalidError("MISSING must be compared using IS operator")
        if token.keyword in {"IS", "LIKE", "BETWEEN"}:
            raise malformed("Unexpected operator")
        if token.kind == "quoted" or (token.kind == "word" and token.keyword not in {"TRUE", "FALSE", "NULL"}):
            return syntax.Reference(self.path(_TERM))
        return syntax.Literal(self.value())

    def _call(self, name: str) -> syntax.Call:
        if name not in FUNCTIONS:
            raise InvalidError(f"Unrecognized function: {name}")
        self.nest()
        self.take()
        self.expect("(")
        arguments = [self.term()]
        while self.accept(","):
            arguments.append(self.term())
        self.expect(")")
        wanted = 1 if name in {"size", "attribute_exists", "attribute_not_exists"} else 2
        if len(arguments) != wanted:
            raise InvalidError(
                "Incorrect number of operands for operator or function; "
                f"operator or function: {name}, number of operands: {len(arguments)}"
            )
        return syntax.Call(name, tuple(arguments))

    def value(self, under: str = "root", depth: int = 1) -> Value:
        """A literal, or a parameter.

        Args:
            under: where it is, as errors call it.
            depth: lists and maps around it, and itself.
        """
        token = self.peek()
        if depth > NESTING_MAX:
            raise InvalidError(NESTED_TOO_DEEPLY)
        if token.kind == "sign":
            return self._composed(token, under, depth)
        if token.keyword in {"TRUE", "FALSE"}:
            return make("BOOL", self.take().keyword == "TRUE")
        if token.keyword == "NULL":
            self.take()
            return make("NULL", True)
        if token.keyword:
            raise malformed("Unexpected keyword")
        if token.kind == "string":
            return make("S", self.take().text)
        if token.kind == "number":
            return make("N", _number(self.take().text, under))
        if token.kind == "parameter":
            self.take()
            return self._parameter()
        raise malformed(_TERM)

    def _composed(self, token: Token, under: str, depth: int) -> Value:
        if token.text == "{":
            return make("M", self.struct(under, depth))
        if self.accept("["):
            elements: list[Value] = []
            while not self.accept("]"):
                if elements:
                    self.expect(",")
                elements.append(self.value(f"{under}[{len(elements)}]", depth + 1))
            return make("L", elements)
        if self.accept("<<"):
            return self._bag(under)
        sign = self.accept("-", "+")
        if sign and self.peek().kind == "number":
            return make("N", _number(sign + self.take().text, under))
        raise malformed(_TERM)

    def struct(self, under: str = "", depth: int = 0) -> dict[str, Value]:
        """The members of a literal with braces; ``under`` is empty for an item."""
        self.expect("{")
        found: dict[str, Value] = {}
        while not self.accept("}"):
            if found:
                self.expect(",")
            token = self.take()
            if token.kind != "string":
                raise InvalidError(
                    f"Tuple keys must be of type String. Actual type: {token.kind} under {under or 'root'}"
                )
            if token.text in found:
                raise InvalidError(f"Duplicate keys in tuple. Key: {token.text} under {under or 'root'}")
            self.expect(":")
            found[token.text] = self.value(f"{under}.{token.text}" if under else "root", depth + 1)
        return found

    def _bag(self, under: str) -> Value:
        members: list[Value] = []
        while not self.accept(">>"):
            if members:
                self.expect(",")
            if self.peek().kind == "parameter":
                raise InvalidError(_BAG)
            members.append(self.value(under))
        if not members:
            raise InvalidError("Empty bags are not supported")
        kinds = {member.type for member in members}
        if kinds not in ({"S"}, {"N"}):
            raise InvalidError(_BAG)
        texts = [member.value for member in members]
        if len(set(texts)) < len(texts):
            raise InvalidError("Input collection contains duplicates")
        return make(f"{kinds.pop()}S", texts)


def _number(text: str, under: str) -> str:
    exponent = text.lower().partition("e")[2]
    if exponent and abs(int(exponent)) >= 2**31:
        raise malformed()
    try:
        return canonical(text)
    except InvalidError as error:
        raise InvalidError(f"{error.message} under {under}") from error
