"""Django's PostgreSQL backend with a cheaper health check. `config.databases` names it as the engine."""
