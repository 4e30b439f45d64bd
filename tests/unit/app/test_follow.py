"""Following a log file: nothing twice, nothing lost, through rotation and truncation."""

import os
from pathlib import Path

import pytest

from app.reporter.follow import LINE_LIMIT_BYTES, FollowedFile, distinct_names


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


def test_a_folder_and_its_file_that_appear_later(tmp_path):
    followed = FollowedFile(tmp_path / "logs" / "later.log")
    assert not followed.start()
    assert followed.lines(100) == []
    (tmp_path / "logs").mkdir()
    assert followed.lines(100) == []
    (tmp_path / "logs" / "later.log").write_bytes(b"first\n")
    assert followed.lines(100) == [b"first"]
    followed.close()


def test_what_is_no_file_cannot_be_followed(tmp_path):
    followed = FollowedFile(tmp_path)
    with pytest.raises(IsADirectoryError):
        followed.start()
    followed.close()
    os.mkfifo(tmp_path / "pipe")  # that nobody writes to
    followed = FollowedFile(tmp_path / "pipe")
    with pytest.raises(OSError, match="Illegal seek"):
        followed.start()
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
    with file.open("ab") as out:
        out.write(b"half a line")
    assert followed.lines(100) == []
    file.write_bytes(b"new\n")
    assert followed.lines(100) == [b"half a line", b"new"], "what was read is not lost"
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


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/a/x.log", "/b/y.log"], ["x.log", "y.log"]),
        (["/srv/web/app.log", "/srv/db/app.log", "/srv/db/x.log"], ["web/app.log", "db/app.log", "x.log"]),
        (["/a/logs/app.log", "/b/logs/app.log", "/logs/app.log"], ["a/logs/app.log", "b/logs/app.log", "logs/app.log"]),
        (["/x.log", "/a/x.log"], ["x.log", "a/x.log"]),
        ([], []),
    ],
)
def test_files_of_one_name_are_told_apart_by_their_folders(paths, names):
    assert distinct_names([Path(path) for path in paths]) == names
