"""The data statement: which texts of a study are sent where."""
