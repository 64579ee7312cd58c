"""Dead letters by hand: look at what the archive holds, and send tasks back to the queue from there."""
