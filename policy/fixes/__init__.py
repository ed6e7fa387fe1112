"""Quick fixes: what a finding asks for as an edit of the text, tried before it is offered."""
