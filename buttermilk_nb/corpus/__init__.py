"""Records and corpora, and the loaders that make them."""
