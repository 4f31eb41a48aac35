"""Imports of contacts from files.

`reading` turns a file into people. A plan says what each person does to which contact, and a writer does that for 5,000
rows at a time. The background task `import` works through a file, and `undo-import` puts everything back.
"""
