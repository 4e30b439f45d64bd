from mqtt.retained_states import AT_ONCE, QUIET_US, RetainedStates


def begun(*topics: bytes, filters: tuple[str, ...] = ("#",)) -> RetainedStates:
    states = RetainedStates(lambda _: topics, 0)
    states.begins(QUIET_US, filters)
    return states


def test_it_waits_until_the_broker_had_time_to_tell_by_itself() -> None:
    asked: list[int] = []
    states = RetainedStates(lambda most: asked.append(most) or [b"a"], 5)
    assert not states.begins(4 + QUIET_US, ["#"])
    assert not asked
    assert states.begins(5 + QUIET_US, ["#"])
    assert not states.begins(6 + QUIET_US, ["#"])
    assert len(asked) == 1


def test_every_topic_is_let_go_of_in_the_step_after_it_was_asked_for() -> None:
    topics = [f"agents/{n}/status" for n in range(2 * AT_ONCE + 1)]
    states = begun(*(one.encode() for one in topics))
    parts = [topics[:AT_ONCE], topics[AT_ONCE:-1], topics[-1:], []]
    assert [states.step() for _ in range(5)] == [
        ([], parts[0]), (parts[0], parts[1]), (parts[1], parts[2]), (parts[2], []), ([], []),
    ]  # fmt: skip


def test_only_what_the_filters_bring_anyway_is_asked_for() -> None:
    states = begun(
        b"a/1", b"b/1", b"b/whole", b"$share/g/a/1", b"$a2a/v1/x", b"$SYS/x", b"a/+", b"a/#", b"\xff", b"", b"a/\0", "ż".encode(),
        filters=("a/#", "b/whole", "$a2a/#", "ż/#"),
    )  # fmt: skip
    assert states.step() == ([], ["a/1", "$a2a/v1/x", "ż"])


def test_with_nothing_to_ask_for_nothing_is_done() -> None:
    states = RetainedStates(lambda _: [b"other"], 0)
    assert not states.begins(QUIET_US, ["a/#"])
    assert states.begun
