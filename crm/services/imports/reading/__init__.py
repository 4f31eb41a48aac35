"""Reading files of contacts: CSV and Excel files become rows, and rows become people. Knows no models."""
