"""Charts: one module each, with its data and its drawing; ``show`` draws one by its name.

The drawing half is a pure function from tidy tables to a figure. What cannot be drawn becomes a chart that says why.
"""

from dlqlab.charts.plot import SUBJECTS, find, names, show

__all__ = ["SUBJECTS", "find", "names", "show"]
