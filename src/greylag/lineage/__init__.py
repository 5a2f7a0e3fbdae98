"""The fleet index: who reads a dataset, where, with which evidence, and who owns it."""

from greylag.lineage.consumers import Findings, Source, Unclear, classify, find_consumers, merge_findings
from greylag.lineage.index import Candidate, FleetIndex, RefreshStats
from greylag.lineage.owners import Owners, owner_of
from greylag.lineage.scan import Mention, scan_folder

__all__ = [
    "Candidate",
    "Findings",
    "FleetIndex",
    "Mention",
    "Owners",
    "RefreshStats",
    "Source",
    "Unclear",
    "classify",
    "find_consumers",
    "merge_findings",
    "owner_of",
    "scan_folder",
]
