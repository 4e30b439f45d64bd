"""The only place with DDL and SQL: catalogue, segments, writer, tail, queries, export."""
