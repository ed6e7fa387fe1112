"""YAML as nodes that know where they stand."""
