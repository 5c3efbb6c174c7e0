"""`Judge`, and how its questions are asked and its answers parsed."""
