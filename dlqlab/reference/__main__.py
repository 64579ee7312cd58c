"""``python -m dlqlab.reference``: write the pages of docs/ that are made from the code."""

from dlqlab.reference import page, recording

page.PAGE.write_text(page.page(), encoding="utf-8")
recording.PAGE.write_text(recording.page(), encoding="utf-8")
