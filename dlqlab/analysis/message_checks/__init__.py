"""The checks of any pipeline's messages, one module each: from the record alone, whatever the functions log."""
