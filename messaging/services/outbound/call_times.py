"""Durations of the calls to each provider, as this process has seen them lately."""

FIRST_GUESS_S = 0.1
NEWEST = 0.3  # weight of the newest call
LEAST_S = 0.0001

_recent_s: dict[str, float] = {}


def recent_call_s(provider: str) -> float:
    return _recent_s.get(provider, FIRST_GUESS_S)


def note_call_time(provider: str, seconds: float) -> None:
    _recent_s[provider] = max(LEAST_S, (1 - NEWEST) * recent_call_s(provider) + NEWEST * seconds)
