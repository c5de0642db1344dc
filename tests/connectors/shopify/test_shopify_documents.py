"""Every document of the connector is valid in Shopify's own schema."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate

from storebridge.connectors.shopify import books, probe, read, read_sales, subscriptions, write
from storebridge.connectors.shopify.client import Operation
from storebridge.connectors.shopify.webhooks import NEEDED_TOPICS

SCHEMA = Path(__file__).resolve().parents[3] / "src/storebridge_sandbox/shopify/schema.graphql"
DOCUMENTS = [
    *read.QUESTIONS,
    *read_sales.SALES_QUESTIONS,
    *books.BOOKS_QUESTIONS,
    *write.OPERATIONS.values(),
    subscriptions.LIST,
    subscriptions.CREATE,
    subscriptions.MOVE,
    probe.LOOK,
]


@cache
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text(encoding="utf-8"), assume_valid=True)


@pytest.mark.parametrize("operation", DOCUMENTS, ids=lambda operation: operation.name)
def test_a_document_fits_the_schema(operation: Operation) -> None:
    document = parse(operation.document)
    assert validate(schema(), document) == []
    (definition,) = document.definitions
    assert isinstance(definition, OperationDefinitionNode)
    assert definition.name is not None
    assert definition.name.value == operation.name
    assert (definition.operation.value == "mutation") == operation.writes or operation in (
        subscriptions.CREATE,
        subscriptions.MOVE,
    )


def test_every_needed_topic_is_one_of_shopifys() -> None:
    topics = schema().type_map["WebhookSubscriptionTopic"].values  # type: ignore[attr-defined]
    assert [topic for topic in NEEDED_TOPICS if subscriptions.enum_name(topic) not in topics] == []
