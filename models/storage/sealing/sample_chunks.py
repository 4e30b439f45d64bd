"""Samples of a closed segment, written anew as chunks (`sample_tables`): two to three bytes a sample, and one series is found
without touching others. Every sample keeps its bits, its times and its message."""

import apsw

from models.storage.sealing.chunk_writer import ChunkWriter
from models.storage.sealing.sample_groups import GroupFinder
from models.storage.sealing.sample_pages import SamplePage, pages
from models.storage.sealing.sample_shards import ranker, shards
from models.storage.sealing.sample_tables import create_tables
from models.storage.sealing.stamp_writer import StampWriter

SHARD_SAMPLES = 1_000_000
"""So many samples are sorted at once, which takes about 80 MB."""
KEPT_SAMPLES = 6_000_000
"""A segment with more, in columns of another 100 MB, is read several times."""


def write_samples(source: apsw.Connection, target: apsw.Connection) -> None:
    """Make the tables in `target` and fill them with all samples of `source`, a segment of layout 1. The transaction is the
    caller's. Takes some 250 MB at the most, and 32 bytes for each message.

    Raises `DamagedError` where the source cannot be read whole, and the engine's errors.
    """
    create_tables(target)
    finder, stamps = GroupFinder(), StampWriter(target)
    kept: list[SamplePage] | None = []
    samples = 0
    for page in pages(source):
        finder.add(page)
        stamps.add(page)
        samples += len(page.value)
        if kept is not None:
            kept.append(page)
            kept = kept if samples <= KEPT_SAMPLES else None
    stamps.finish()
    kinds = {
        id_: f"{metric}\n{labels}" for id_, metric, labels in source.execute("SELECT id, metric, labels FROM series")
    }
    groups = finder.groups(kinds)
    ranked = ranker(groups)
    if kept is not None:
        for place, page in enumerate(kept):
            kept[place] = ranked(page)
    writer = ChunkWriter(target, *stamps.times())
    for first, end in groups.shards(SHARD_SAMPLES):
        for shard in shards(groups, kept or map(ranked, pages(source)), first, end, SHARD_SAMPLES):
            writer.write(shard)
