"""``python -m dlqlab.reference``: write the pages of docs/ that are made from the code."""

from dlqlab.reference import latency, limits, page, project_file, recording

page.PAGE.write_text(page.page(), encoding="utf-8")
recording.PAGE.write_text(recording.page(), encoding="utf-8")
latency.PAGE.write_text(latency.page(), encoding="utf-8")
limits.PAGE.write_text(limits.page(), encoding="utf-8")
project_file.PAGE.write_text(project_file.page(), encoding="utf-8")
