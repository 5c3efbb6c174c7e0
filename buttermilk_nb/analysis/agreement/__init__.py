"""How far coders agree: coefficients with intervals over frames of ratings."""
