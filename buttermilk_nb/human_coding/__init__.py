"""Human coding: labels, sheets to fill in, shared work, and what comes back. Each public name is in the package."""
