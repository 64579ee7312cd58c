"""IAM's decision on a call, if it is asked for: what is called, by whom, and which policies speak of it."""
