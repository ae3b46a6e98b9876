"""Tools around the Orvelle G4: sensor bus, climate formulas, logs, firmware images and settings."""
