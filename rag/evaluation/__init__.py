"""Measuring retrieval: datasets, systems, runs, metrics, significance, reports and choosing by measurement."""
