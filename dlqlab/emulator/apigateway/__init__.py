"""REST APIs and function URLs: their addresses, and what becomes of a function's answer."""
