"""EventBridge: what it refuses of rules and targets, and what becomes of an event that cannot be delivered."""
