"""What a lineage backend may learn from the operators: nothing of a document."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_mlconnector import operators


def test_no_operator_hands_anything_to_lineage() -> None:
    modules = [import_module(found.name) for found in iter_modules(operators.__path__, f"{operators.__name__}.")]
    defined = {
        thing
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, BaseOperator)
        and thing.__module__.startswith(operators.__name__)
    }
    assert len(defined) > 10
    assert [name for one in defined for name in dir(one) if "openlineage" in name] == []
