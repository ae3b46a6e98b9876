"""One attack a module, found by looking into this folder."""
