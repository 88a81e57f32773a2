"""What was written: YAML turned into checked, frozen objects."""
