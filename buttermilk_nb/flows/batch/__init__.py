"""Send the requests of a run through the batch APIs of providers."""
