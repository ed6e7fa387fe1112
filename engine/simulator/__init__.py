"""The simulated QRS: a test double, and the demo's site."""
