"""Items of the tables: what is written is what is read."""

from hypothesis import given
from hypothesis import strategies as st

from taskrules.items import archive_item, archived_of
from taskrules.store import ArchivedMessage

_TS = st.integers(0, 10**12).map(lambda hundredths: hundredths / 100)


@given(
    st.builds(
        ArchivedMessage,
        generation=st.none() | st.integers(1, 9),
        attempts=st.none() | st.integers(0, 99),
        first_ts=st.none() | _TS,
        last_ts=st.none() | _TS,
        archived_ts=_TS,
        expires_ts=st.integers(0, 10**10),
    )
)
def test_archived_message_survives_its_item(message: ArchivedMessage) -> None:
    """With or without a task: whole numbers stay whole, and what is not known stays so."""
    read = archived_of(archive_item(message))

    assert message == read
    assert (type(message.generation), type(message.attempts)) == (type(read.generation), type(read.attempts))
