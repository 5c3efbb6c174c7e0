"""Rule-based baselines that answer offline."""
