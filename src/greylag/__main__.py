"""`python -m greylag`."""

from greylag.cli.main import main

# Worker processes import this module under another name.
if __name__ == "__main__":
    main()
