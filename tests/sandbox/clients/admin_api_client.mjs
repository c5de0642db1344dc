// A session of @shopify/admin-api-client: a customer, orders made, read, paid, shipped, refunded and cancelled.
import { createAdminApiClient } from "@shopify/admin-api-client";
import { credentials, rerouted, tell } from "./loopback.mjs";

const held = await credentials();
const client = createAdminApiClient({
  storeDomain: held.shop,
  apiVersion: "2026-10",
  accessToken: held.access_token,
  customFetchApi: rerouted(/\.myshopify\.com$/),
  isTesting: true,
  retries: 1,
});
const ask = async (operation, variables) => {
  const { data, errors } = await client.request(operation, { variables });
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
};
const seen = {};

// A customer: made, found, changed
const customer = await ask(
  `mutation Welcome($input: CustomerInput!) {
    customerCreate(input: $input) {
      customer { id displayName defaultEmailAddress { emailAddress } }
      userErrors { field message }
    }
  }`,
  { input: { firstName: "Ada", lastName: "Byron", email: "ada@example.com", tags: ["vip"] } },
);
seen.customerErrors = customer.customerCreate.userErrors;
seen.customer = customer.customerCreate.customer.displayName;
const customerId = customer.customerCreate.customer.id;
const changed = await ask(
  `mutation Rename($input: CustomerInput!) {
    customerUpdate(input: $input) { customer { displayName tags } userErrors { field message } }
  }`,
  { input: { id: customerId, lastName: "Lovelace" } },
);
seen.renamed = changed.customerUpdate;

// What there is to sell
const { productVariants } = await ask(`query Goods {
  productVariants(first: 10) { nodes { id sku inventoryItem { id } } }
}`);
const mug = productVariants.nodes.find((variant) => variant.sku === "MUG");
const level = async () => {
  const { inventoryItem } = await ask(
    `query Left($id: ID!) {
      inventoryItem(id: $id) {
        inventoryLevels(first: 1) { nodes { quantities(names: ["available", "committed", "on_hand"]) { quantity } } }
      }
    }`,
    { id: mug.inventoryItem.id },
  );
  return inventoryItem.inventoryLevels.nodes[0].quantities.map((one) => one.quantity);
};
seen.before = await level();

// An order of three mugs
const CREATE = `mutation Order($order: OrderCreateOrderInput!, $options: OrderCreateOptionsInput) {
  orderCreate(order: $order, options: $options) {
    order {
      id name sourceIdentifier displayFinancialStatus displayFulfillmentStatus
      totalPriceSet { shopMoney { amount currencyCode } }
      lineItems(first: 5) { nodes { id sku quantity } }
    }
    userErrors { code field message }
  }
}`;
const order = (quantity, sourceIdentifier) => ({
  options: { inventoryBehaviour: "DECREMENT_OBEYING_POLICY" },
  order: {
    sourceIdentifier,
    currency: "EUR",
    email: "ada@example.com",
    customer: { toAssociate: { id: customerId } },
    lineItems: [{ variantId: mug.id, quantity, requiresShipping: true }],
    shippingAddress: { firstName: "Ada", lastName: "Lovelace", address1: "12 St James's Square", city: "London",
      countryCode: "GB", zip: "SW1Y 4JH" },
    transactions: [{ kind: "SALE", status: "SUCCESS", gateway: "manual",
      amountSet: { shopMoney: { amount: (12.5 * quantity).toFixed(2), currencyCode: "EUR" } } }],
  },
});
const first = (await ask(CREATE, order(3, "elsewhere-1"))).orderCreate;
const { id: orderId, lineItems, ...shown } = first.order;
seen.order = { ...shown, lines: lineItems.nodes.map(({ sku, quantity }) => [sku, quantity]) };
seen.afterSale = await level();
seen.tooMany = (await ask(CREATE, order(50, "elsewhere-2"))).orderCreate.userErrors;

// Two of them are shipped
const { order: toShip } = await ask(
  `query ToShip($id: ID!) {
    order(id: $id) {
      fulfillmentOrders(first: 5) {
        nodes { id status lineItems(first: 5) { nodes { id remainingQuantity sku } } }
      }
    }
  }`,
  { id: orderId },
);
const [fulfilmentOrder] = toShip.fulfillmentOrders.nodes;
seen.toShip = [fulfilmentOrder.status, fulfilmentOrder.lineItems.nodes[0].remainingQuantity];
const shipped = await ask(
  `mutation Ship($fulfillment: FulfillmentInput!) {
    fulfillmentCreate(fulfillment: $fulfillment) {
      fulfillment { id status trackingInfo { company number url } }
      userErrors { field message }
    }
  }`,
  {
    fulfillment: {
      notifyCustomer: false,
      trackingInfo: { company: "DPD", number: "01234567890123" },
      lineItemsByFulfillmentOrder: [
        {
          fulfillmentOrderId: fulfilmentOrder.id,
          fulfillmentOrderLineItems: [{ id: fulfilmentOrder.lineItems.nodes[0].id, quantity: 2 }],
        },
      ],
    },
  },
);
const { fulfillment } = shipped.fulfillmentCreate;
seen.shipped = [fulfillment.status, fulfillment.trackingInfo[0].number, shipped.fulfillmentCreate.userErrors];
seen.afterShipping = await level();

// The third is refunded and goes back on the shelf
const refund = await ask(
  `mutation Refund($input: RefundInput!, $key: String!) {
    refundCreate(input: $input) @idempotent(key: $key) {
      refund { totalRefundedSet { shopMoney { amount } } refundLineItems(first: 5) { nodes { quantity restockType } } }
      userErrors { field message }
    }
  }`,
  {
    key: "refund-1",
    input: {
      orderId,
      note: "One too many",
      refundLineItems: [
        { lineItemId: lineItems.nodes[0].id, quantity: 1, restockType: "CANCEL", locationId: await mainLocation() },
      ],
      transactions: [{ orderId, kind: "REFUND", gateway: "manual", amount: "12.50", parentId: await sale() }],
    },
  },
);
seen.refund = refund.refundCreate;
seen.afterRefund = await level();

// Read it again, as a page and by search
const { order: again } = await ask(
  `query Again($id: ID!) { order(id: $id) { displayFinancialStatus displayFulfillmentStatus currentSubtotalLineItemsQuantity } }`,
  { id: orderId },
);
seen.again = again;

// A second order is cancelled; that is a job
const second = (await ask(CREATE, order(1, "elsewhere-3"))).orderCreate.order;
const cancelled = await ask(
  `mutation Cancel($id: ID!) {
    orderCancel(orderId: $id, reason: CUSTOMER, restock: true, refundMethod: { originalPaymentMethodsRefund: true }) {
      job { id done }
      orderCancelUserErrors { code field message }
    }
  }`,
  { id: second.id },
);
seen.cancelErrors = cancelled.orderCancel.orderCancelUserErrors;
let job = cancelled.orderCancel.job;
while (!job.done) {
  await new Promise((later) => setTimeout(later, 100));
  ({ job } = await ask("query Job($id: ID!) { job(id: $id) { id done } }", { id: job.id }));
}
const { order: gone } = await ask(
  "query Gone($id: ID!) { order(id: $id) { cancelReason cancelledAt displayFinancialStatus } }",
  { id: second.id },
);
seen.cancelled = [gone.cancelReason, gone.cancelledAt !== null, gone.displayFinancialStatus];
seen.afterCancel = await level();

// A key that nobody gave out, and a query that is no query
const stranger = createAdminApiClient({ storeDomain: held.shop, apiVersion: "2026-10", accessToken: "shpat_wrong",
  customFetchApi: rerouted(/\.myshopify\.com$/), isTesting: true });
seen.stranger = (await stranger.request("query Shop { shop { name } }")).errors.networkStatusCode;
const wrong = await client.request("query Wrong($id: ID!) { order(id: $id) { nickname } }", { variables: { id: orderId } });
seen.wrong = wrong.errors.graphQLErrors.map(({ message, extensions }) => [message, extensions.code]);
tell(seen);

async function mainLocation() {
  return (await ask("query Main { locations(first: 1) { nodes { id } } }")).locations.nodes[0].id;
}

async function sale() {
  const { order } = await ask("query Paid($id: ID!) { order(id: $id) { transactions(first: 5) { id kind } } }", {
    id: orderId,
  });
  return order.transactions.find((transaction) => transaction.kind === "SALE").id;
}
