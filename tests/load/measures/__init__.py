"""What is measured, one file per kind of work; each function gives rows for the table."""
