"""Schedules of EventBridge Scheduler and of EventBridge's rules: when they are due, and whom they call."""
