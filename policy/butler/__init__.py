"""Butler's YAML: to the AST and back."""
