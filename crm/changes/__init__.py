"""What has changed, for clients: cursors, pages of changes, and their retention."""
