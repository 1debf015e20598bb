"""Infor CloudSuite through the ION API Gateway: one gateway, one dialect per product (reference/cloudsuite.md)."""

from __future__ import annotations
