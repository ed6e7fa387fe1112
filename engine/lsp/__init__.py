"""The language server: what an editor asks while a policy is written. A second roof, beside the command line."""
