"""JAGGAER One Platform (J1P): invoices read over REST. Facts and guesses: reference/jaggaer.md §1–§2."""

from __future__ import annotations
