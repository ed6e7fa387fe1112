"""Measurements and their way out: points in Butler's schema, a spool on disk, InfluxDB 1, 2 and 3."""
