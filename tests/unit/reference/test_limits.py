"""The page about quotas is what the code says."""

from dlqlab.reference.limits import PAGE, page


def test_page_is_as_the_code_has_it() -> None:
    """`make docs` writes it."""
    assert page() == PAGE.read_text(encoding="utf-8")
