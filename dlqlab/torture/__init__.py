"""A pipeline under a matrix of faults from outside: what it survives, and the least that shows what it does not."""
