"""Qdrant Edge: one shard in a folder, how it lies on disk, and how a large one is built."""
