"""Records, corpora, and the loaders that read them from files and tables."""
