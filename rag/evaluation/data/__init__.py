"""Judged data: read, checked, made from a corpus or from use."""
