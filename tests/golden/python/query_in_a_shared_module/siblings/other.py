from program import USERS

run(USERS + ' WHERE country = 1')
