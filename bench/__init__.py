"""What `make bench` runs: seeded sites of any size, and how long everything takes on them."""
