"""`python -m greylag`."""

from greylag.cli.main import main

main()
