"""SOQL: text → tree (`parse`) → names looked up in the schema (`scope`) → SQL with bound values
(`compile`).
"""
