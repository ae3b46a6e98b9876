"""One module a file format, each with a `FORMAT`. A new format is a new file here; nothing else lists them.

Heavy packages are imported inside the functions that need them, as every module here is imported to find the formats.
"""
