"""Where the data is: read-only questions to a warehouse, within a budget."""

from greylag.warehouse.base import Budget, OverBudget, Rows, Warehouse, WarehouseError
from greylag.warehouse.open import open_warehouse

__all__ = ["Budget", "OverBudget", "Rows", "Warehouse", "WarehouseError", "open_warehouse"]
