"""``python -m dlqlab.reference``: write docs/configuration.md."""

from dlqlab.reference.page import PAGE, page

PAGE.write_text(page(), encoding="utf-8")
