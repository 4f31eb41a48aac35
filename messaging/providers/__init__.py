"""Providers' APIs and webhooks, translated into one vocabulary. One folder per provider; `registry` lists them."""
