"""The campaign engine: audience, texts, runs, the feeder, alarms and the report."""
