"""`python -m runner.cli` is `terapi`."""

from runner.cli.main import main

main()
