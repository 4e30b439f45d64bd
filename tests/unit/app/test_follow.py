"""Following a log file: nothing twice, nothing lost, through rotation and truncation."""

from app.reporter.follow import LINE_LIMIT_BYTES, FollowedFile


def test_only_what_is_added_after_the_start(tmp_path):
    file = tmp_path / "a.log"
    file.write_bytes(b"old\n")
    followed = FollowedFile(file)
    followed.start()
    assert followed.lines(100) == []
    with file.open("ab") as out:
        out.write(b"one\r\ntwo\npart")
    assert followed.lines(100) == [b"one", b"two"]
    with file.open("ab") as out:
        out.write(b"ial\n\n")
    assert followed.lines(100) == [b"partial"]
    followed.close()


def test_a_file_that_appears_later_is_read_from_its_beginning(tmp_path):
    followed = FollowedFile(tmp_path / "later.log")
    followed.start()
    assert followed.lines(100) == []
    (tmp_path / "later.log").write_bytes(b"first\n")
    assert followed.lines(100) == [b"first"]
    followed.close()


def test_rotation_reads_the_old_file_to_its_end(tmp_path):
    file = tmp_path / "a.log"
    file.write_bytes(b"")
    followed = FollowedFile(file)
    followed.start()
    with file.open("ab") as out:
        out.write(b"before\nlast without end")
    file.rename(tmp_path / "a.log.1")
    assert followed.lines(100) == [b"before"], "the old file may still be written while no new one is there"
    file.write_bytes(b"after\n")
    assert followed.lines(100) == [b"last without end", b"after"]
    followed.close()


def test_truncation_begins_anew(tmp_path):
    file = tmp_path / "a.log"
    file.write_bytes(b"a long first line\n")
    followed = FollowedFile(file)
    followed.start()
    file.write_bytes(b"short\n")
    assert followed.lines(100) == [b"short"]
    followed.close()


def test_an_endless_line_comes_in_pieces(tmp_path):
    file = tmp_path / "a.log"
    file.write_bytes(b"")
    followed = FollowedFile(file)
    followed.start()
    file.write_bytes(b"x" * (LINE_LIMIT_BYTES + 10) + b"\n")
    pieces = followed.lines(100)
    assert b"".join(pieces) == b"x" * (LINE_LIMIT_BYTES + 10)
    assert max(map(len, pieces)) <= LINE_LIMIT_BYTES
    followed.close()


def test_what_is_not_asked_for_stays_and_comes_next(tmp_path):
    file = tmp_path / "a.log"
    file.write_bytes(b"")
    followed = FollowedFile(file)
    followed.start()
    file.write_bytes(b"".join(b"%d\n" % n for n in range(250)) + b"x" * 9 * LINE_LIMIT_BYTES)
    file.rename(tmp_path / "a.log.1")
    (tmp_path / "a.log").write_bytes(b"after\n")
    pages = []
    while page := followed.lines(100):
        pages.append(page)
    assert max(map(len, pages)) == 100
    told = b" ".join(line for page in pages for line in page)
    assert told.replace(b" x", b"x").startswith(b" ".join(b"%d" % n for n in range(250)) + b"x")
    assert told.endswith(b"after")
    assert told.count(b"x") == 9 * LINE_LIMIT_BYTES
    followed.close()
