"""DynamoDB's operations on items in full, with its errors: what the fast path declines is served here.

    engine        which operation is served by what
    shapes        requests checked against the API's model: types, required members, lengths, enumerations
    tables        moto's tables as the operations see them: keys, indexes, items, streams
    requests      expressions of a request, compiled and checked together
    projections   ProjectionExpression
    legacy        parameters from before expressions, as expressions
    writes        one change of one item: read, checked, then made
    items         GetItem, PutItem, UpdateItem, DeleteItem
    batches       BatchGetItem, BatchWriteItem
    transactions  TransactGetItems, TransactWriteItems, client request tokens
    searches      Query, Scan
    key_conditions
    capacity      what an operation consumes
    descriptions  answers and refusals of operations on tables
    partiql       statements: text, syntax, meaning

Nothing has been changed when an operation is refused. All of it works on moto's tables, under the provider's lock.
"""
