"""Attachments: noted by webhook events (`noting`), read by signed links (`links`), kept for some time (`retention`)."""
