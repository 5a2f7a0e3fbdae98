"""Verifiers: is the rewritten consumer the same program under the mapping?"""

from greylag.verify.prove import prove

__all__ = ["prove"]
