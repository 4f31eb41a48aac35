"""Safe migrations: locks of each step, refusal of blocking steps, and runs with short lock timeouts."""
