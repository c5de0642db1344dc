"""What orders are found by: their names, their buyers' names, companies and e-mails, and SKUs.

Kept in a narrow table of its own: to look into 10,000 documents of five kilobytes takes PostgreSQL half a second, into
their words some milliseconds. A buyer who is forgotten is forgotten here in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.ids import OrderKey, Workspace
from storebridge.model.sales import Address, Buyer, Order
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import sales
from storebridge.store.tables_search import sales_words


def words_of(order: Order) -> str:
    """Folded, one a line, so that nothing is found across two of them."""
    buyer, to = order.buyer, order.shipping_address or Address()
    told = [order.name, _full(buyer), _full(to), buyer.email, to.company, *(line.sku or "" for line in order.lines)]
    return "\n".join(dict.fromkeys(folded(one) for one in told if one.strip()))


def folded(words: str) -> str:
    """As it is kept and looked for: capitals do not count, and a character that no database takes is a space."""
    return " ".join(words.replace("\0", " ").split()).casefold()


def _full(person: Buyer | Address) -> str:
    return f"{person.first_name} {person.last_name}"


def save_words(tx: HasConnection, workspace: Workspace, orders: Iterable[tuple[OrderKey, Order]]) -> None:
    """What these orders are found by from now on."""
    _SAVE.run_many(tx, [{"workspace": workspace, "order_key": key, "words": words_of(one)} for key, one in orders])


def forget_words(tx: HasConnection, workspace: Workspace, key: str, document: dict[str, Any]) -> None:
    """The order's buyer is forgotten: what is left of its document is its name and its goods."""
    skus = (str(line.get("sku") or "") for line in document.get("lines", ()))
    words = "\n".join(dict.fromkeys(folded(one) for one in (str(document["name"]), *skus) if one.strip()))
    mine = (sales_words.c.workspace == workspace) & (sales_words.c.order_key == key)
    tx.conn.execute(update(sales_words).where(mine).values(words=words))


def holds(workspace: Workspace, search: str) -> Any:
    """The condition that an order's words hold these."""
    part = sales_words.c.words.contains(folded(search), autoescape=True)
    return sales.c.order_key.in_(select(sales_words.c.order_key).where(sales_words.c.workspace == workspace, part))


def _save(dialect: Any) -> Any:
    statement = dialect.insert(sales_words)
    changes = {"words": statement.excluded["words"]}
    return statement.on_conflict_do_update(index_elements=["workspace", "order_key"], set_=changes)


_SAVE = Prepared(_save(sqlite), columns=("workspace", "order_key", "words"), postgresql=_save(postgresql))
