"""Verifiers: is the rewritten consumer the same program under the mapping?"""
