"""PartiQL for DynamoDB ("PartiQL reference" of the developer guide).

    text        a statement's tokens
    syntax      what statements are made of
    parser      statements: parameters take the place of their question marks
    conditions  WHERE: the condition, and the keys that it names
    updates     SET and REMOVE
    operations  ExecuteStatement, BatchExecuteStatement, ExecuteTransaction

What is not understood is refused with a ValidationException.
"""
