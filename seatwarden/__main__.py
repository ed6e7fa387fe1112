"""`python -m seatwarden`: the command."""

from seatwarden.engine.cli.main import main

if __name__ == "__main__":
    main()
