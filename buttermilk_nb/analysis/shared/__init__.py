"""What several statistics use."""
