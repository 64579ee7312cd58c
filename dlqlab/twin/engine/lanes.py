"""Eight numbers of 32 bits side by side, for compiled code: what is done to one is done to all, in one instruction.

``Lanes`` is a vector of LLVM, which becomes registers of whatever processor there is: one of AVX2, two of SSE or NEON.
Written out, because a compiler that has to find by itself that a loop may become vectors does so or does not.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from dlqlab.twin.engine.rows import Rows

LANES = 8
_VECTOR = ir.VectorType(ir.IntType(32), LANES)
_WORD_BYTES = 4


class _Lanes(types.Type):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(name="Lanes")


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: _Lanes) -> None:
        super().__init__(manager, kind, _VECTOR)


Lanes = Any
"""Eight numbers, for annotations."""
_lanes = _Lanes()


def _operator(function: Callable[..., Any], instruction: str) -> None:
    """The operator of Python does this instruction to lanes."""

    @infer_global(function)
    class _Operator(ConcreteTemplate):  # type: ignore[misc]
        cases = (signature(_lanes, _lanes, _lanes),)

    @lower_builtin(function, _Lanes, _Lanes)  # type: ignore[untyped-decorator]
    def _lower(_context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        return getattr(builder, instruction)(*arguments)


_operator(operator.add, "add")
_operator(operator.and_, "and_")
_operator(operator.xor, "xor")


def _shift_by(n: int) -> Any:
    return ir.Constant(_VECTOR, [n] * LANES)


def _address(context: Any, builder: Any, rows: Any, value: Any, n: Any) -> Any:
    """Where the n-th eight of the rows begin."""
    data = cgutils.create_struct_proxy(rows)(context, builder, value=value).data
    at = builder.gep(data, [builder.mul(n, ir.Constant(n.type, LANES * _WORD_BYTES))])
    return builder.bitcast(at, _VECTOR.as_pointer())


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def turned(_context: Any, x: Any, n: Any) -> Any:
    """Each number rotated to the right by the same constant."""

    def codegen(_: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        by = sig.args[1].literal_value
        low, high = builder.lshr(arguments[0], _shift_by(by)), builder.shl(arguments[0], _shift_by(32 - by))
        return builder.or_(low, high)

    return _lanes(x, n), codegen


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def shifted(_context: Any, x: Any, n: Any) -> Any:
    """Each number shifted to the right by the same constant."""

    def codegen(_: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return builder.lshr(arguments[0], _shift_by(sig.args[1].literal_value))

    return _lanes(x, n), codegen


@intrinsic  # type: ignore[untyped-decorator]
def spread(_context: Any, number: Any) -> Any:
    """The same number in all lanes."""

    def codegen(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        word = context.cast(builder, arguments[0], sig.args[0], types.uint32)
        first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), word, ir.IntType(32)(0))
        return builder.shuffle_vector(first, first, ir.Constant(_VECTOR, [0] * LANES))

    return _lanes(number), codegen


@intrinsic  # type: ignore[untyped-decorator]
def load(_context: Any, rows: Any, _n: Any) -> Any:
    """The n-th eight of rows of 32 bits."""
    if not isinstance(rows, Rows):
        return None

    def codegen(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return builder.load(_address(context, builder, sig.args[0], *arguments), align=_WORD_BYTES)

    return _lanes(rows, types.int64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def store(_context: Any, rows: Any, _n: Any, x: Any) -> Any:
    """Sets the n-th eight of rows of 32 bits."""
    if not isinstance(rows, Rows):
        return None

    def codegen(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _address(context, builder, sig.args[0], *arguments[:2]), align=_WORD_BYTES)
        return context.get_dummy_value()

    return types.void(rows, types.int64, x), codegen
