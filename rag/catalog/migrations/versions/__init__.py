"""The revisions, one a file: `v<revision>_<topic>.py` with `revision`, `down_revision` and `upgrade()`.

A revision is never changed once it was released, and imports no tables of the catalog: they are of another day. There
is no way down; the way back is a backup.
"""
