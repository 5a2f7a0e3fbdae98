import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--table", default="prod.core.users_v1", help="reads prod.core.users_v1")
