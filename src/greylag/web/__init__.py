"""`greylag serve`: takes in what forges and pipelines tell, and says how things stand."""
