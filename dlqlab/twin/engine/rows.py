"""Arrays by address, for compiled code: rows of a type, read and written in place.

numba's own arrays count a negative index from the end, so each access by a signed number first looks up the length and
chooses. Here a row is where its number says; nobody in the engine counts from the end. And where an array begins is
read once for a function instead of after each write: the compiler is told that the table of addresses does not change
while the loop runs.
"""

import operator
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model
from numba.np.numpy_support import from_dtype

ENTRIES = 3
"""Numbers in the table for each array: address, rows, columns."""
_WORD = ir.IntType(64)


class Rows(types.Type):  # type: ignore[misc]
    """Rows of values or records; with columns, rows of values."""

    def __init__(self, dtype: types.Type, *, has_columns: bool) -> None:
        self.dtype, self.has_columns = dtype, has_columns
        super().__init__(name=f"Rows({dtype}, {has_columns})")


@register_model(Rows)
class _RowsModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, manager: Any, rows: Rows) -> None:
        members = [("data", types.voidptr), ("rows", types.int64), ("columns", types.int64)]
        super().__init__(manager, rows, members)


def view(place: int, dtype: np.dtype[Any], *, has_columns: bool) -> Any:
    """A function from the address of a table to the array with this place in it."""
    kind = Rows(from_dtype(dtype), has_columns=has_columns)

    @intrinsic  # type: ignore[untyped-decorator]
    def _view(_context: Any, table: Any) -> Any:
        def codegen(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            found = cgutils.create_struct_proxy(kind)(context, builder)
            data, rows, columns = (_entry(builder, arguments[0], place * ENTRIES + n) for n in range(ENTRIES))
            found.data, found.rows, found.columns = builder.inttoptr(data, cgutils.voidptr_t), rows, columns
            return found._getvalue()  # noqa: SLF001  (numba has no other way)

        return kind(table), codegen

    return _view


@intrinsic  # type: ignore[untyped-decorator]
def rows_of(_context: Any, array: Any) -> Any:
    """A numpy array as rows. It has to be an argument of the entry: the rows do not keep it alive."""
    if not isinstance(array, types.Array) or array.layout != "C" or array.ndim not in (1, 2):
        return None
    kind = Rows(array.dtype, has_columns=array.ndim > 1)

    def codegen(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        whole = context.make_array(sig.args[0])(context, builder, arguments[0])
        shape = cgutils.unpack_tuple(builder, whole.shape)
        found = cgutils.create_struct_proxy(kind)(context, builder)
        found.data = builder.bitcast(whole.data, cgutils.voidptr_t)
        found.rows, found.columns = shape[0], shape[1] if len(shape) > 1 else _WORD(1)
        return found._getvalue()  # noqa: SLF001  (numba has no other way)

    return kind(array), codegen


def _entry(builder: Any, table: Any, n: int) -> Any:
    """A number of the table, which is the same whenever it is read."""
    at = builder.inttoptr(builder.add(table, _WORD(8 * n)), _WORD.as_pointer())
    found = builder.load(at)
    found.set_metadata("invariant.load", builder.module.add_metadata([]))
    return found


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):  # type: ignore[misc]
    """A row; of rows with columns, a value or a row of values."""

    def generic(self, arguments: Any, _: Any) -> Any:
        rows, at = arguments
        if not isinstance(rows, Rows):
            return None
        if isinstance(at, types.Integer):
            found = Rows(rows.dtype, has_columns=False) if rows.has_columns else rows.dtype
            return signature(found, rows, types.int64)
        return signature(rows.dtype, rows, types.UniTuple(types.int64, 2))


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):  # type: ignore[misc]
    """A value; a record's fields are set one by one."""

    def generic(self, arguments: Any, _: Any) -> Any:
        rows, at, _value = arguments
        if not isinstance(rows, Rows):
            return None
        wide = types.int64 if isinstance(at, types.Integer) else types.UniTuple(types.int64, 2)
        return signature(types.void, rows, wide, rows.dtype)


@infer_global(len)
class _Len(AbstractTemplate):  # type: ignore[misc]
    def generic(self, arguments: Any, _: Any) -> Any:
        return signature(types.int64, *arguments) if isinstance(arguments[0], Rows) else None


def _address(context: Any, builder: Any, kind: Rows, rows: Any, n: Any) -> Any:
    """Where value or record n begins."""
    size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    data = cgutils.create_struct_proxy(kind)(context, builder, value=rows).data
    at = builder.gep(data, [builder.mul(n, _WORD(size))])
    return builder.bitcast(at, context.get_data_type(kind.dtype).as_pointer())


def _number(context: Any, builder: Any, kind: Rows, rows: Any, at: Any) -> Any:
    """Which of all values a row and a column name."""
    row, column = cgutils.unpack_tuple(builder, at)
    columns = cgutils.create_struct_proxy(kind)(context, builder, value=rows).columns
    return builder.add(builder.mul(row, columns), column)


@lower_builtin(operator.getitem, Rows, types.Integer)  # type: ignore[untyped-decorator]
def _get_row(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    kind, (rows, n) = sig.args[0], arguments
    if not kind.has_columns:
        return context.unpack_value(builder, kind.dtype, _address(context, builder, kind, rows, n))
    whole = cgutils.create_struct_proxy(kind)(context, builder, value=rows)
    found = cgutils.create_struct_proxy(sig.return_type)(context, builder)
    first = _address(context, builder, kind, rows, builder.mul(n, whole.columns))
    found.data, found.rows, found.columns = builder.bitcast(first, cgutils.voidptr_t), whole.columns, _WORD(1)
    return found._getvalue()  # noqa: SLF001  (numba has no other way)


@lower_builtin(operator.getitem, Rows, types.UniTuple)  # type: ignore[untyped-decorator]
def _get_value(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    kind, (rows, at) = sig.args[0], arguments
    n = _number(context, builder, kind, rows, at)
    return context.unpack_value(builder, kind.dtype, _address(context, builder, kind, rows, n))


@lower_builtin(operator.setitem, Rows, types.Integer, types.Any)  # type: ignore[untyped-decorator]
def _set_row(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    kind, (rows, n, value) = sig.args[0], arguments
    context.pack_value(builder, kind.dtype, value, _address(context, builder, kind, rows, n))
    return context.get_dummy_value()


@lower_builtin(operator.setitem, Rows, types.UniTuple, types.Any)  # type: ignore[untyped-decorator]
def _set_value(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    kind, (rows, at, value) = sig.args[0], arguments
    n = _number(context, builder, kind, rows, at)
    context.pack_value(builder, kind.dtype, value, _address(context, builder, kind, rows, n))
    return context.get_dummy_value()


@lower_builtin(len, Rows)  # type: ignore[untyped-decorator]
def _len(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    return cgutils.create_struct_proxy(sig.args[0])(context, builder, value=arguments[0]).rows
