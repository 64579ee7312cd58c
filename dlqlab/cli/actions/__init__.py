"""What the commands do, each in the module of the name that declares it."""
