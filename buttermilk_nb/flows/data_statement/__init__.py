"""The statement of which texts go where in a study."""
