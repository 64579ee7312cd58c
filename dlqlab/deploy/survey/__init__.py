"""Everything at a target that messages go through, found by AWS calls that only read: no file says what to look for."""
