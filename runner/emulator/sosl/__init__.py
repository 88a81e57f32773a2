"""SOSL: text → tree (`parse`) → what is looked for (`terms`) → SQL per object (`search`)."""
