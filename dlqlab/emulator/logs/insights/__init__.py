"""Logs Insights: queries over the log store."""
