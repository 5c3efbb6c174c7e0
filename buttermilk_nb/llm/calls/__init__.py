"""One call to a model: consent, redaction, budget, rate limits, retries."""
