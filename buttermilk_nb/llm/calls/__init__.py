"""The call path: cache, consent, redaction, budget, rate limits, retries."""
