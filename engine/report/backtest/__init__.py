"""The HTML page of a backtest: its curve, its tables and what they mean in words."""
