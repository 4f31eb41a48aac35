"""What providers say, put into one vocabulary. Pure functions: nothing here touches the database."""
