"""Tracking links that Shopify makes by itself for carriers whose names it knows, letter for letter.

That it does so, and for which names, its pages say (``FulfillmentTrackingInfo``, https://shopify.dev/docs/api/admin-graphql);
the addresses are those of the carriers' own pages (S46). The names here are the most common of its list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

PAGES: Mapping[str, str] = {
    "Australia Post": "https://auspost.com.au/mypost/track/details/{}",
    "Canada Post": "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={}",
    "Chronopost": "https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT={}",
    "Colissimo": "https://www.laposte.fr/outils/suivre-vos-envois?code={}",
    "DHL eCommerce": "https://webtrack.dhlecs.com/orders?trackingNumber={}",
    "DHL Express": "https://www.dhl.com/en/express/tracking.html?AWB={}",
    "DPD": "https://www.dpdgroup.com/be/mydpd/my-parcels/search?parcelNumber={}",
    "Evri": "https://www.evri.com/track/parcel/{}",
    "FedEx": "https://www.fedex.com/fedextrack/?trknbr={}",
    "GLS": "https://gls-group.com/track/{}",
    "La Poste": "https://www.laposte.fr/outils/suivre-vos-envois?code={}",
    "PostNL": "https://jouw.postnl.nl/track-and-trace/{}",
    "Royal Mail": "https://www.royalmail.com/track-your-item#/tracking-results/{}",
    "Swiss Post": "https://service.post.ch/ekp-web/ui/entry/search/{}",
    "UPS": "https://www.ups.com/WebTracking?loc=en_US&requester=ST&trackNums={}",
    "USPS": "https://tools.usps.com/go/TrackConfirmAction_input?qtc_tLabels1={}",
}


def with_links(trackings: Sequence[Mapping[str, Any]], *, builds: bool) -> list[dict[str, Any]]:
    """The same, without empty links; with ``builds`` a number of a known carrier that came without a link gets one."""
    return [{**one, "url": one.get("url") or (_link(one) if builds else None)} for one in trackings]


def _link(tracking: Mapping[str, Any]) -> str | None:
    page = PAGES.get(tracking.get("company") or "")
    return page.format(quote(str(tracking["number"]), safe="")) if page and tracking.get("number") else None
