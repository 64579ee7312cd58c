"""Rules of AWS and of retries that settings can break, checked before they cost a run.

settings (one typed view of a scenario and of a deployed stack) -> rules (pure functions) -> findings.
"""
