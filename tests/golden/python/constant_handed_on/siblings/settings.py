from config import TABLE as USERS

RETRIES = 3
