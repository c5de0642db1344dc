// A session of @shopify/shopify-api: token, shop, locations, goods, stock, a bulk query, a webhook checked by its code.
import "@shopify/shopify-api/adapters/node";
import { setAbstractFetchFunc } from "@shopify/shopify-api/runtime";
import { DeliveryMethod, LogSeverity, RequestedTokenType, shopifyApi } from "@shopify/shopify-api";
import { STORE, credentials, listen, rerouted, tell } from "./loopback.mjs";

const held = await credentials();
const deliveries = await listen();
setAbstractFetchFunc(rerouted(/\.myshopify\.com$/));
const shopify = shopifyApi({
  apiKey: held.client_id,
  apiSecretKey: held.client_secret,
  apiVersion: "2026-10",
  hostName: deliveries.host,
  hostScheme: "http",
  isEmbeddedApp: false,
  logger: { level: LogSeverity.Error },
});

const { session } = await shopify.auth.clientCredentials({ shop: held.shop });
const client = new shopify.clients.Graphql({ session });
const ask = async (query, variables) => (await client.request(query, { variables })).data;
const seen = { scopes: session.scope.split(",").length, expires: session.expires > new Date() };

// Shop and locations
const { shop, locations } = await ask(`query Shop {
  shop { name myshopifyDomain currencyCode }
  locations(first: 10) { nodes { id name isActive } }
}`);
seen.shop = shop;
seen.locations = locations.nodes.map((place) => place.name);
const [main, outlet] = locations.nodes.map((place) => place.id);

// Goods: made, changed, listed page by page
const made = await ask(
  `mutation Make($product: ProductSetInput!) {
    productSet(input: $product, synchronous: true) {
      product { id title variants(first: 10) { nodes { id sku price inventoryItem { id tracked } } } }
      userErrors { field message code }
    }
  }`,
  {
    product: {
      title: "Kettle",
      productOptions: [{ name: "Colour", values: [{ name: "Blue" }, { name: "Red" }] }],
      variants: ["Blue", "Red"].map((colour) => ({
        optionValues: [{ optionName: "Colour", name: colour }],
        price: "59.90",
        inventoryPolicy: "DENY",
        inventoryItem: { sku: `KETTLE-${colour.toUpperCase()}`, tracked: true },
      })),
    },
  },
);
seen.setErrors = made.productSet.userErrors;
const kettle = made.productSet.product;
seen.variants = kettle.variants.nodes.map(({ sku, price }) => [sku, price]);
const updated = await ask(
  `mutation Change($product: ProductUpdateInput!) {
    productUpdate(product: $product) { product { title tags } userErrors { field message } }
  }`,
  { product: { id: kettle.id, title: "Kettle 1.7 l", tags: ["kitchen"] } },
);
seen.updated = updated.productUpdate;
const titles = [];
let after = null;
do {
  const { products } = await ask(
    `query Page($after: String) {
      products(first: 1, after: $after, sortKey: TITLE) { nodes { title } pageInfo { hasNextPage endCursor } }
    }`,
    { after },
  );
  titles.push(...products.nodes.map((product) => product.title));
  after = products.pageInfo.hasNextPage ? products.pageInfo.endCursor : null;
} while (after);
seen.titles = titles;

// Stock: connected, set, adjusted; the same key twice, and a level that is not the one expected
const [blue, red] = kettle.variants.nodes.map((variant) => variant.inventoryItem.id);
const activated = await ask(
  `mutation Connect($item: ID!, $place: ID!, $key: String!) {
    inventoryActivate(inventoryItemId: $item, locationId: $place, available: 3) @idempotent(key: $key) {
      inventoryLevel { quantities(names: ["available"]) { quantity } }
      userErrors { field message }
    }
  }`,
  { item: red, place: outlet, key: "connect-red" },
);
seen.activated = activated.inventoryActivate;
const SET = `mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { reason changes { name delta } }
    userErrors { code field message }
  }
}`;
const set = (quantity, changeFromQuantity, key) =>
  ask(SET, {
    key,
    input: {
      name: "available",
      reason: "correction",
      quantities: [{ inventoryItemId: blue, locationId: main, quantity, changeFromQuantity }],
    },
  });
seen.set = (await set(12, 0, "set-blue")).inventorySetQuantities;
seen.stale = (await set(20, 7, "set-blue-late")).inventorySetQuantities.userErrors.map((error) => error.code);
const adjust = () =>
  ask(
    `mutation Adjust($input: InventoryAdjustQuantitiesInput!, $key: String!) {
      inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
        inventoryAdjustmentGroup { changes { name delta } }
        userErrors { code message }
      }
    }`,
    {
      key: "adjust-blue",
      input: {
        name: "available",
        reason: "received",
        changes: [{ inventoryItemId: blue, locationId: main, delta: 5, changeFromQuantity: 12 }],
      },
    },
  );
seen.adjusted = (await adjust()).inventoryAdjustQuantities;
await adjust();
const level = await ask(
  `query Level($item: ID!, $place: ID!) {
    inventoryItem(id: $item) {
      inventoryLevel(locationId: $place) { quantities(names: ["available", "on_hand"]) { name quantity } }
    }
  }`,
  { item: blue, place: main },
);
seen.level = level.inventoryItem.inventoryLevel.quantities;

// A query that the schema does not have is refused in the vendor's words
try {
  await ask("query Wrong { shop { favouriteColour } }");
} catch (error) {
  seen.wrong = error.body.errors.graphQLErrors.map(({ message, extensions }) => [message, extensions.code]);
}

// Everything at once
const bulk = await ask(
  `mutation Bulk($query: String!) {
    bulkOperationRunQuery(query: $query) { bulkOperation { id } userErrors { field message } }
  }`,
  { query: "{ products { edges { node { id title variants { edges { node { id sku } } } } } } }" },
);
let job = bulk.bulkOperationRunQuery.bulkOperation;
do {
  await new Promise((later) => setTimeout(later, 100));
  const { bulkOperation } = await ask("query Job($id: ID!) { bulkOperation(id: $id) { id status objectCount url } }", {
    id: job.id,
  });
  job = bulkOperation;
} while (job.status === "CREATED" || job.status === "RUNNING");
const lines = (await (await fetch(job.url)).text()).trim().split("\n").map((line) => JSON.parse(line));
seen.bulk = [job.status, job.objectCount, lines.filter((line) => line.sku).map((line) => line.sku).sort()];

// A webhook: registered, received and checked by the client
shopify.webhooks.addHandlers({
  INVENTORY_LEVELS_UPDATE: {
    deliveryMethod: DeliveryMethod.Http,
    callbackUrl: "/hooks",
    callback: async (topic, from, body) => {
      seen.called = [topic, from, JSON.parse(body).available];
    },
  },
});
const registered = await shopify.webhooks.register({ session });
seen.registered = registered.INVENTORY_LEVELS_UPDATE.map(({ success, operation }) => [success, operation]);
await set(11, 17, "set-blue-again");
const { request: rawRequest, response: rawResponse, rawBody } = await deliveries.next();
const checked = await shopify.webhooks.validate({ rawBody, rawRequest, rawResponse });
const { valid, topic, domain, apiVersion } = checked;
seen.delivery = { valid, topic, domain, apiVersion, available: JSON.parse(rawBody).available };
const forged = await shopify.webhooks.validate({ rawBody: rawBody.replace("11", "99"), rawRequest, rawResponse });
seen.forged = [forged.valid, forged.reason];
await shopify.webhooks.process({ rawBody, rawRequest, rawResponse }); // answers 200 by itself

// The way of an installed app: approval in the browser with a code, and the session token of an embedded page
const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"; // the client sends what looks like a robot away
const visit = async (address, cookies, meet) => {
  const headers = { cookie: cookies, "user-agent": browser };
  const [answer] = await Promise.all([
    fetch(`http://${deliveries.host}${address}`, { redirect: "manual", headers }),
    deliveries.next().then(meet),
  ]);
  return answer;
};
const begun = await visit("/auth", "", ({ request: rawRequest, response: rawResponse }) =>
  shopify.auth.begin({ shop: held.shop, callbackPath: "/auth/callback", isOnline: false, rawRequest, rawResponse }),
);
const cookies = begun.headers.getSetCookie().map((one) => one.split(";")[0]).join("; ");
const approval = new URL(begun.headers.get("location"));
const approved = await fetch(`${STORE}${approval.pathname}${approval.search}`, { redirect: "manual" });
const back = new URL(approved.headers.get("location"));
let installed = null;
await visit(`${back.pathname}${back.search}`, cookies, async ({ request: rawRequest, response: rawResponse }) => {
  installed = (await shopify.auth.callback({ rawRequest, rawResponse })).session;
  rawResponse.end();
});
const askedAs = async (one) => (await new shopify.clients.Graphql({ session: one }).request("query { shop { name } }")).data.shop.name;
seen.installed = [installed.isOnline, installed.expires ?? null, await askedAs(installed)];
const { session_token: sessionToken } = await (await fetch(`${STORE}/_sandbox/session_token`, { method: "POST" })).json();
const decoded = await shopify.session.decodeSessionToken(sessionToken);
const exchanged = await shopify.auth.tokenExchange({
  shop: held.shop, sessionToken, requestedTokenType: RequestedTokenType.OnlineAccessToken,
});
seen.exchanged = [decoded.dest, exchanged.session.isOnline, exchanged.session.onlineAccessInfo.associated_user.first_name];
deliveries.close();
tell(seen);
