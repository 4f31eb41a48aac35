"""Changes for clients: cursors, pages and retention."""
