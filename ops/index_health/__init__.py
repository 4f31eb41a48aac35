"""What ails the indexes of the database: what the models declare against what stands, is used, overlaps and swells."""
