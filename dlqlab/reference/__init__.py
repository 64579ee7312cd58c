"""The reference of all settings, written from the code: ``python -m dlqlab.reference`` prints docs/configuration.md."""
