"""Metrics, significance and choosing: pure functions of scores."""
