"""The checks of a verdict, one module each: it owns the check's name, title, place, sets and judgement.

``judge`` finds the modules by themselves; verdict.json, terminal, page, JUnit and Markdown follow from what they say.
"""
