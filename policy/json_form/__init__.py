"""The AST as JSON, both ways."""
