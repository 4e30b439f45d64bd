from hypothesis import given
from hypothesis import strategies as st

from models.domain.messages import Properties
from models.storage.segments import message_properties

texts = st.text(st.characters(codec="utf-8"))
some = st.builds(
    Properties,
    st.none() | texts, st.none() | texts, st.none() | st.binary(), st.none() | st.integers(0, 2**32 - 1),
    st.lists(st.tuples(texts, texts)).map(tuple),
)  # fmt: skip


@given(some)
def test_properties_come_back_as_they_were(properties: Properties) -> None:
    text = message_properties.encode(properties)
    assert message_properties.decode(text) == (None if properties == Properties() else properties)


def test_a_message_without_properties_stores_nothing() -> None:
    assert message_properties.encode(None) is None
    assert message_properties.encode(Properties()) is None
    assert message_properties.decode(None) is None
