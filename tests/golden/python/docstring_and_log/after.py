"""Reads prod.core.users_v1.

SELECT user_id FROM prod.core.users_v1
"""

import logging

logger = logging.getLogger("users_v1")


def main():
    """SELECT user_id FROM prod.core.users_v1"""
    logger.info("SELECT user_id FROM prod.core.users_v1")
    print("prod.core.users_v1 is read elsewhere")  # prod.core.users_v1
    raise ValueError("no prod.core.users_v1 today")
