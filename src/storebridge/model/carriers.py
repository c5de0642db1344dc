"""Carriers in each vendor's own words: then the vendor makes the tracking link by itself.

Shopify lists the names that it knows and wants them letter for letter (https://shopify.dev/docs/api/admin-graphql,
object ``FulfillmentTrackingInfo``). Wix knows five, by codes of its own. A parcel that goes to Wix with any other
carrier needs its link; for some carriers the link is known here.
"""

from __future__ import annotations

from types import MappingProxyType
from urllib.parse import quote

import msgspec

EVERYWHERE = """
4PX; AGS; Amazon; Amazon Logistics UK; Amazon Logistics US; An Post; Anjun Logistics; APC; Asendia USA;
Australia Post; Bonshaw; BPost; BPost International; Canada Post; Canpar; CDL Last Mile; China Post;
Chronopost; Chukou1; Colissimo; Comingle; Coordinadora; Correios; Correos; CTT; CTT Express; Cyprus Post;
Delnext; Deutsche Post; DHL eCommerce; DHL eCommerce Asia; DHL Express; DPD; DPD Local; DPD UK; DTD Express;
DX; Eagle; Estes; Evri; FedEx; First Global Logistics; First Line; FSC; Fulfilla; GLS;
Guangdong Weisuyi Information Technology (WSE); Heppner Internationale Spedition GmbH & Co.; Iceland Post;
IDEX; Israel Post; Japan Post (EN); Japan Post (JA); La Poste; Lasership; Latvia Post; Lietuvos Paštas;
Logisters; Lone Star Overnight; M3 Logistics; Meteor Space; Mondial Relay; New Zealand Post; NinjaVan;
North Russia Supply Chain (Shenzhen) Co.; OnTrac; Packeta; Pago Logistics; Ping An Da Tengfei Express;
Pitney Bowes; Portal PostNord; Poste Italiane; PostNL; PostNord DK; PostNord NO; PostNord SE; Purolator;
Qxpress; Qyun Express; Royal Mail; Royal Shipments; Sagawa (EN); Sagawa (JA); Sendle; SF Express;
SFC Fulfillment; SHREE NANDAN COURIER; Singapore Post; Southwest Air Cargo; StarTrack; Step Forward Freight;
Swiss Post; TForce Final Mile; Tinghao; TNT; Toll IPEC; United Delivery Service; UPS; USPS; Venipak; We Post;
Whistl; Wizmo; WMYC; Xpedigo; XPO Logistics; Yamato (EN); Yamato (JA); YiFan Express; YunExpress
"""
"""What Shopify offers to every shop."""
IN_SOME_COUNTRIES = """
Aramex Australia; TNT Australia; Hunter Express; Couriers Please; Bonds; Allied Express; Direct Couriers;
Northline; GO Logistics; Österreichische Post; Speedy; Intelcom; BoxKnight; Loomis; WanbExpress; Zásilkovna;
Deutsche Post (DE); Deutsche Post (EN); DHL; Swiship; Hermes; SEUR; Colis Privé; Parcelforce; Yodel;
DHL Parcel; Tuffnells; ACS Courier; Fastway; DPD Ireland; DTDC; India Post; Delhivery; Gati KWE;
Professional Couriers; XpressBees; Ecom Express; Ekart; Shadowfax; Bluedart; BRT; GLS Italy; エコ配; 西濃運輸;
西濃スーパーエキスプレス; 福山通運; 日本通運; 名鉄運輸; 第一貨物; Bring; Inpost; PTT; Yurtiçi Kargo; Aras Kargo;
Sürat Kargo; Alliance Air Freight; Pilot Freight; LSO; Old Dominion; R+L Carriers; Skynet
"""
"""What it offers beside these to shops of some countries."""
NAMES = tuple(name.strip() for name in f"{EVERYWHERE.strip()}; {IN_SOME_COUNTRIES.strip()}".split(";"))


class Carrier(msgspec.Struct, frozen=True):
    """A carrier that both vendors know. ``full`` is its name in full, which is no vendor's code in any spelling;
    ``link`` where its parcels are followed; ``also`` are other ways in which people write it, in lower case."""

    shopify: str
    wix: str
    full: str
    link: str
    also: tuple[str, ...] = ()


CARRIERS = (
    Carrier(
        "FedEx", "fedex", "Federal Express", "https://www.fedex.com/apps/fedextrack/?action=track&trackingnumber={}"
    ),
    Carrier("UPS", "ups", "United Parcel Service", "https://www.ups.com/track?tracknum={}"),
    Carrier(
        "USPS",
        "usps",
        "United States Postal Service",
        "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
    ),
    Carrier("DHL Express", "dhl", "DHL Express", "https://www.dhl.com/en/express/tracking.html?AWB={}", ("dhl",)),
    Carrier(
        "Canada Post",
        "canadaPost",
        "Canada Post",
        "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={}",
        ("postes canada",),
    ),
)
"""For these five Wix makes the link (its schema of fulfilments says so)."""
LINKS = MappingProxyType(
    {
        "An Post": "https://www.anpost.com/Post-Parcels/Track/History?item={}",
        "Australia Post": "https://auspost.com.au/mypost/track/details/{}",
        "Bring": "https://tracking.bring.com/tracking/{}",
        "Chronopost": "https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT={}",
        "Colissimo": "https://www.laposte.fr/outils/suivre-vos-envois?code={}",
        "Correos": "https://www.correos.es/es/es/herramientas/localizador/envios/detalle?tracking-number={}",
        "Deutsche Post": "https://www.deutschepost.de/de/s/sendungsverfolgung.html?piececode={}",
        "DPD": "https://tracking.dpd.de/status/en_US/parcel/{}",
        "Evri": "https://www.evri.com/track/parcel/{}",
        "GLS": "https://gls-group.eu/track/{}",
        "Inpost": "https://inpost.pl/sledzenie-przesylek?number={}",
        "La Poste": "https://www.laposte.fr/outils/suivre-vos-envois?code={}",
        "New Zealand Post": "https://www.nzpost.co.nz/tools/tracking/item/{}",
        "OnTrac": "https://www.ontrac.com/tracking/?number={}",
        "Österreichische Post": "https://www.post.at/sv/sendungsdetails?snr={}",
        "Portal PostNord": "https://portal.postnord.com/tracking/details/{}",
        "Purolator": "https://www.purolator.com/en/shipping/tracker?pin={}",
        "Royal Mail": "https://www.royalmail.com/track-your-item#/tracking-results/{}",
        "Sendle": "https://track.sendle.com/tracking?ref={}",
        "Swiss Post": "https://service.post.ch/ekp-web/ui/entry/search/{}",
        "YunExpress": "https://www.yuntrack.com/parcelTracking?id={}",
    }
)
"""Where a parcel of a carrier that Wix does not know is followed (W39); ``{}`` is its number."""
_BY_NAME = MappingProxyType({name.casefold(): name for name in NAMES})


def carrier_of(company: str) -> Carrier | None:
    """Whom a name means; None for a carrier that is no word of both vendors."""
    name = company.strip().casefold()
    return next((one for one in CARRIERS if name in _names(one)), None)


def _names(carrier: Carrier) -> tuple[str, ...]:
    return (carrier.shopify.casefold(), carrier.wix.casefold(), carrier.full.casefold(), *carrier.also)


def shopify_name(company: str) -> str:
    """As Shopify writes it, whatever the case, and also where Wix's code or another common name was given; else as it
    was typed."""
    known = carrier_of(company)
    if known is not None and company == known.wix:
        return known.shopify
    listed = _BY_NAME.get(company.strip().casefold())
    return listed or (company if known is None else known.shopify)


def link_of(company: str, number: str) -> str:
    """Where a parcel is followed; empty when that is not known."""
    known = carrier_of(company)
    template = known.link if known else LINKS.get(shopify_name(company), "")
    return template.format(quote(number, safe="")) if template and number else ""
