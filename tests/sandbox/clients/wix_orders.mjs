// A session of @wix/sdk with @wix/ecom and @wix/crm: contacts made, found and merged; an order from its creation to
// payment, parcels and refund; another one cancelled; the order's webhook checked by the client.
import { contacts } from "@wix/crm";
import { orderBilling, orderFulfillments, orderTransactions, orders } from "@wix/ecom";
import { inventoryItemsV3, productsV3 } from "@wix/stores";
import { tell } from "./loopback.mjs";
import { hook, refusal, site } from "./wix_site.mjs";

const WIX_STORES = "215238eb-22a5-4c36-9e7b-e7c08025e04e";
const modules = { contacts, inventoryItemsV3, orderBilling, orderFulfillments, orderTransactions, orders, productsV3 };
const { held, client } = await site(modules);
const seen = {};

// Contacts
const info = (first, email) => ({ name: { first, last: "Byron" }, emails: { items: [{ tag: "MAIN", email, primary: true }] } });
const { contact: ada } = await client.contacts.createContact(info("Ada", "ada@example.com"));
seen.contact = [ada.info.name.first, ada.primaryInfo.email, ada.revision, ada._createdDate instanceof Date];
seen.again = await refusal(client.contacts.createContact(info("Ada", "ada@example.com")));
const { contact: other } = await client.contacts.createContact(info("A.", "ada.byron@example.com"));
const found = await client.contacts.queryContacts().eq("primaryInfo.email", "ada@example.com").find();
seen.found = [found.items.length, found.items[0]._id === ada._id];
const { contact: married } = await client.contacts.updateContact(
  ada._id,
  { ...info("Ada", "ada@example.com"), name: { first: "Ada", last: "Lovelace" } },
  ada.revision,
);
seen.renamed = [married.info.name.last, married.revision];
seen.lateRename = await refusal(client.contacts.updateContact(ada._id, info("Ada", "ada@example.com"), 0));
const { contact: merged } = await client.contacts.mergeContacts(ada._id, married.revision, { sourceContactIds: [other._id] });
seen.merged = merged.info.emails.items.map((item) => item.email);
seen.gone = await refusal(client.contacts.getContact(other._id));

// An order of three mugs, as another system would make it
const { items: shelf } = await client.productsV3.queryProducts().eq("slug", "mug").find();
const mug = await client.productsV3.getProduct(shelf[0]._id);
const left = async () => {
  const { items } = await client.inventoryItemsV3.queryInventoryItems().eq("productId", mug._id).find();
  return items[0].quantity;
};
const price = (amount) => ({ amount });
const wanted = (quantity, externalOrderId) => ({
  channelInfo: { type: "OTHER_PLATFORM", externalOrderId },
  currency: "EUR",
  currencyConversionDetails: { originalCurrency: "EUR", conversionRate: "1" },
  weightUnit: "KG",
  taxIncludedInPrices: false,
  buyerInfo: { contactId: ada._id, email: "ada@example.com" },
  shippingInfo: {
    title: "Parcel",
    logistics: {
      shippingDestination: {
        address: { country: "GB", city: "London", addressLine: "12 St James's Square", postalCode: "SW1Y 4JH" },
        contactDetails: { firstName: "Ada", lastName: "Lovelace" },
      },
    },
  },
  lineItems: [
    {
      catalogReference: { appId: WIX_STORES, catalogItemId: mug._id, options: { variantId: mug.variantsInfo.variants[0]._id } },
      productName: { original: "Mug" },
      quantity,
      itemType: { preset: "PHYSICAL" },
      price: price("12.50"),
      lineItemPrice: price((12.5 * quantity).toFixed(2)),
      totalPriceAfterTax: price((12.5 * quantity).toFixed(2)),
      totalPriceBeforeTax: price((12.5 * quantity).toFixed(2)),
      totalDiscount: price("0"),
      taxInfo: { taxAmount: price("0"), taxRate: "0", taxableAmount: price("0") },
    },
  ],
  priceSummary: {
    subtotal: price((12.5 * quantity).toFixed(2)),
    shipping: price("0"),
    tax: price("0"),
    discount: price("0"),
    total: price((12.5 * quantity).toFixed(2)),
  },
});
const deliveries = await hook("wix.ecom.v1.order_created");
seen.called = [];
client.orders.onOrderCreated((event) => {
  seen.called.push([event.entity.channelInfo.externalOrderId, event.metadata.slug]);
});
const heard = async () => {
  const { rawBody, response } = await deliveries.next();
  const event = await client.webhooks.process(rawBody);
  response.end();
  return event;
};
const order = await client.orders.createOrder(wanted(3, "elsewhere-1"));
seen.order = [order.number, order.status, order.paymentStatus, order.fulfillmentStatus, order.priceSummary.total.amount];
seen.afterSale = await left();
const event = await heard();
seen.event = [event.eventType, event.instanceId === held.instance_id];

// Paid by hand; until then no search finds it
const byStamp = async (externalOrderId) =>
  (
    await client.orders.searchOrders({
      filter: { "channelInfo.externalOrderId": externalOrderId },
      sort: [{ fieldName: "createdDate", order: "DESC" }],
      cursorPaging: { limit: 10 },
    })
  ).orders;
seen.hidden = await byStamp("elsewhere-1");
const paid = await client.orderTransactions.addPayments(order._id, [
  { amount: price("37.50"), refundDisabled: false, regularPaymentDetails: { offlinePayment: true, status: "APPROVED" } },
]);
seen.paid = [paid.paymentsIds.length, (await client.orders.getOrder(order._id)).paymentStatus];

// Found by its stamp, read, changed
seen.search = (await byStamp("elsewhere-1")).map((one) => [one.number, one.status, one._createdDate instanceof Date]);
const moved = await client.orders.updateOrder(order._id, { buyerInfo: { email: "ada.lovelace@example.com" } });
seen.moved = [moved.buyerInfo.email, (await client.orders.getOrder(order._id)).lineItems[0].quantity];
seen.missing = await refusal(client.orders.getOrder("00000000-0000-0000-0000-0000000000ff"));

// Two parcels; a third has nothing left to hold
const lineId = order.lineItems[0]._id;
const parcel = (quantity, trackingNumber) =>
  client.orderFulfillments.createFulfillment(order._id, {
    lineItems: [{ _id: lineId, quantity }],
    trackingInfo: { trackingNumber, shippingProvider: "dhl" },
    status: "Fulfilled",
  });
await parcel(2, "JD1");
seen.partly = (await client.orders.getOrder(order._id)).fulfillmentStatus;
const { orderWithFulfillments } = await parcel(1, "JD2");
seen.parcels = orderWithFulfillments.fulfillments.map(({ lineItems, trackingInfo }) => [
  lineItems[0].quantity,
  trackingInfo.trackingNumber,
]);
seen.shipped = (await client.orders.getOrder(order._id)).fulfillmentStatus;
seen.tooMany = await parcel(1, "JD3").catch((error) => [
  error.status,
  error.response.data.details.validationError.fieldViolations.map(({ field, description }) => [field, description]),
]);

// One mug comes back
const { payments } = await client.orderBilling.getOrderRefundability(order._id);
seen.refundable = payments.map((one) => [one.manuallyRefundable.reason, one.payment.monetary.maxRefund.amount]);
const refund = await client.orderBilling.refundPayments(order._id, {
  paymentRefunds: [{ paymentId: payments[0].payment.paymentId, amount: price("12.50"), externalRefund: true }],
  refundItems: { lineItems: [{ lineItemId: lineId, quantity: 1 }] },
  sideEffects: { restock: { lineItems: [{ lineItemId: lineId, quantity: 1 }] } },
});
seen.refund = refund.orderTransactions.refunds.map((one) => one.transactions.map((each) => [each.amount.amount, each.refundStatus]));
seen.afterRefund = [await left(), (await client.orders.getOrder(order._id)).paymentStatus];

// A second one is cancelled
const second = await client.orders.createOrder(wanted(1, "elsewhere-2"));
seen.beforeCancel = await left();
await heard();
const { order: cancelled } = await client.orders.cancelOrder(second._id, { restockAllItems: true });
seen.cancelled = [cancelled.status, await left()];
seen.twice = await refusal(client.orders.cancelOrder(second._id, { restockAllItems: true }));
deliveries.close();
tell(seen);
