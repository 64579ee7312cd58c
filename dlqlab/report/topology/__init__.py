"""A topology shown: as lines of text and as a picture."""
