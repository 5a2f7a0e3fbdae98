from program import TABLE

print(TABLE)
