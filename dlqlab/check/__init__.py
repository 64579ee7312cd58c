"""Whether the emulator will run what a template declares, said before it is deployed."""
