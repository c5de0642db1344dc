"""What apps think of an order's risk, and what the shop makes of it."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, shows
from storebridge_sandbox.shopify.mutations import Verb, refuse
from storebridge_sandbox.shopify.sales.book import Orders
from storebridge_sandbox.shopify.sales.news import News
from storebridge_sandbox.shopify.sales.state import RiskAssessment, ShopOrder

ADVICE = {"HIGH": "CANCEL", "MEDIUM": "INVESTIGATE", "LOW": "ACCEPT"}
"""Strongest first. Nobody is known to have recorded it; the words are Shopify's."""


class RiskWrites:
    """``orderRiskAssessmentCreate``."""

    def __init__(self, book: Orders, news: News) -> None:
        self._book = book
        self._news = news

    def verbs(self) -> dict[str, Verb]:
        return {"orderRiskAssessmentCreate": self.assess}

    def assess(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        given = args["orderRiskAssessmentInput"]
        order = self._book.orders.get(given["orderId"])
        if order is None:
            raise refuse(["orderRiskAssessmentInput", "orderId"], "Order does not exist", "NOT_FOUND")
        facts = tuple((one["description"], one["sentiment"]) for one in given["facts"])
        made = RiskAssessment(given["riskLevel"], facts)
        with self._news.deed():
            order.risks = (*order.risks, made)
            self._book.touched(order)
        return {"orderRiskAssessment": made}


def _level(order: ShopOrder) -> str:
    held = {one.level for one in order.risks}
    return next((one for one in ADVICE if one in held), "LOW")


def _advice(order: ShopOrder) -> str:
    held = {one.level for one in order.risks}
    return next((advice for level, advice in ADVICE.items() if level in held), "NONE")


def _flat(order: ShopOrder) -> list[dict[str, Any]]:
    """The old form of the same: one entry per fact."""
    return [
        {"display": True, "level": one.level if one.level in ADVICE else None, "message": told}
        for one in order.risks
        for told, _ in one.facts
    ]


RESOLVERS: Resolvers = {
    ("Order", "risk"): lambda order, _a, _c: order,
    ("Order", "riskLevel"): lambda order, _a, _c: _level(order),
    ("Order", "risks"): lambda order, args, _c: _flat(order)[: args.get("first")],
    ("OrderRiskSummary", "assessments"): shows("risks"),
    ("OrderRiskSummary", "recommendation"): lambda order, _a, _c: _advice(order),
    ("OrderRiskAssessment", "riskLevel"): shows("level"),
    ("OrderRiskAssessment", "facts"): shows("facts"),
    ("OrderRiskAssessment", "provider"): lambda _o, _a, _c: None,
    ("RiskFact", "description"): lambda fact, _a, _c: fact[0],
    ("RiskFact", "sentiment"): lambda fact, _a, _c: fact[1],
    ("OrderRisk", "display"): lambda one, _a, _c: one["display"],
    ("OrderRisk", "level"): lambda one, _a, _c: one["level"],
    ("OrderRisk", "message"): lambda one, _a, _c: one["message"],
}
