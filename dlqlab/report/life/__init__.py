"""The life of a task for people: lines of text, a waterfall in SVG, a page of its own."""
