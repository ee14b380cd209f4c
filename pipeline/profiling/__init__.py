"""Profile of a table that a person has brought, and the settings that it suggests.

May import columns, tables and settings. It guesses, and says what it guesses; the pipeline itself
never does: it reads what params.yaml says.
"""
