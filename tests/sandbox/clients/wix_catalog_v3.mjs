// A session of @wix/sdk with @wix/stores on a Catalog V3 site: app token, goods, stock under revisions, differences,
// a webhook checked by the client.
import { AppStrategy } from "@wix/sdk";
import { catalogVersioning, inventoryItemsV3, productsV3, storesLocationsV3 } from "@wix/stores";
import { tell } from "./loopback.mjs";
import { hook, outcomes, refusal, site } from "./wix_site.mjs";

const { held, client } = await site({ catalogVersioning, inventoryItemsV3, productsV3, storesLocationsV3 });
const seen = {};
seen.version = (await client.catalogVersioning.getCatalogVersion()).catalogVersion;
const { headers } = await client.auth.getAuthHeaders();
const info = await AppStrategy({ appId: held.app_id, accessToken: headers.Authorization }).getTokenInfo();
seen.token = [info.active, info.subjectType, info.instanceId === held.instance_id, info.siteId === held.site_id];
const { items: places } = await client.storesLocationsV3.queryStoresLocations().find();
seen.places = places.map((place) => [place.name, place.defaultLocation]);

// Goods: made with their stock, changed, listed page by page
const kettle = await client.productsV3.createProductWithInventory({
  name: "Kettle",
  productType: "PHYSICAL",
  physicalProperties: {},
  visible: true,
  options: [
    {
      name: "Colour",
      optionRenderType: "TEXT_CHOICES",
      choicesSettings: { choices: [{ name: "Blue", choiceType: "CHOICE_TEXT" }, { name: "Red", choiceType: "CHOICE_TEXT" }] },
    },
  ],
  variantsInfo: {
    variants: ["Blue", "Red"].map((choice) => ({
      sku: `KETTLE-${choice.toUpperCase()}`,
      visible: true,
      price: { actualPrice: { amount: "59.90" } },
      physicalProperties: {},
      choices: [{ optionChoiceNames: { optionName: "Colour", choiceName: choice, renderType: "TEXT_CHOICES" } }],
      inventoryItem: { quantity: 4 },
    })),
  },
});
const productId = kettle.product._id;
seen.made = [kettle.product.name, kettle.product.revision, kettle.inventoryResults.bulkActionMetadata.totalSuccesses];
const renamed = await client.productsV3.updateProduct(productId, { revision: kettle.product.revision, name: "Kettle 1.7 l" });
seen.renamed = [renamed.name, renamed.revision];
seen.lateRename = await refusal(
  client.productsV3.updateProduct(productId, { revision: kettle.product.revision, name: "Too late" }),
);
// The client's types allow a sort here; the vendor refuses it.
seen.sorted = await refusal(client.productsV3.queryProducts().ascending("slug").find());
const names = [];
let page = await client.productsV3.queryProducts().limit(1).find();
names.push(...page.items.map((product) => product.name));
while (page.hasNext()) {
  page = await page.next();
  names.push(...page.items.map((product) => product.name));
}
seen.names = names;
const whole = await client.productsV3.getProduct(productId, { fields: ["CURRENCY"] });
seen.variants = whole.variantsInfo.variants.map(({ sku, price }) => [sku, price.actualPrice.amount]);
seen.missing = await refusal(client.productsV3.getProduct("00000000-0000-0000-0000-0000000000ff"));

// Stock: read, set under its revision, changed by differences
const items = async () =>
  (await client.inventoryItemsV3.queryInventoryItems().eq("productId", productId).find()).items;
const blueVariant = whole.variantsInfo.variants[0]._id;
const blue = (await items()).find((item) => item.variantId === blueVariant);
seen.opening = [blue.quantity, blue.trackQuantity, blue.availabilityStatus, blue._updatedDate instanceof Date];
const set = await client.inventoryItemsV3.updateInventoryItem(
  blue._id,
  { revision: blue.revision, quantity: 12, trackQuantity: true },
  { reason: "MANUAL" },
);
seen.set = [set.quantity, Number(set.revision) - Number(blue.revision)];
seen.lateSet = await refusal(
  client.inventoryItemsV3.updateInventoryItem(blue._id, { revision: blue.revision, quantity: 99, trackQuantity: true }),
);
seen.less = outcomes(
  await client.inventoryItemsV3.bulkDecrementInventoryItems([{ inventoryItemId: blue._id, decrementBy: 2 }], {
    restrictInventory: true,
    reason: "ORDER",
  }),
);
seen.tooMuch = outcomes(
  await client.inventoryItemsV3.bulkDecrementInventoryItemsByVariantAndLocation(
    [
      { variantId: blueVariant, decrementBy: 100 },
      { variantId: whole.variantsInfo.variants[1]._id, decrementBy: 1 },
    ],
    { restrictInventory: true },
  ),
);
seen.more = outcomes(
  await client.inventoryItemsV3.bulkIncrementInventoryItems([{ inventoryItemId: blue._id, incrementBy: 1 }]),
);
seen.left = (await client.inventoryItemsV3.getInventoryItem(blue._id)).quantity;
const { inventoryItems: found } = await client.inventoryItemsV3.searchInventoryItems({ filter: { quantity: { $gt: 5 } } });
seen.plenty = found.map((item) => item.quantity).sort((one, other) => one - other);

// A webhook: one change, told and checked by the client; a forged one is refused
const deliveries = await hook("wix.stores.catalog.v3.inventory_item_updated_with_reason");
client.inventoryItemsV3.onInventoryItemUpdatedWithReason((event) => {
  const { currentEntity, reason, appId } = event.data;
  seen.called = [currentEntity._id === blue._id, currentEntity.quantity, reason, appId === held.app_id];
  seen.metadata = [event.metadata.entityFqdn, event.metadata.slug, event.metadata.instanceId === held.instance_id];
});
const latest = await client.inventoryItemsV3.getInventoryItem(blue._id);
await client.inventoryItemsV3.updateInventoryItem(blue._id, { revision: latest.revision, quantity: 9 }, { reason: "MANUAL" });
const { rawBody, response } = await deliveries.next();
const event = await client.webhooks.process(rawBody);
response.end();
seen.event = [event.eventType, event.instanceId === held.instance_id, event.identity.identityType];
const [head, claims, signature] = rawBody.split(".");
const forged = Buffer.from(Buffer.from(claims, "base64url").toString().replace('9', '8')).toString("base64url");
seen.forged = await client.webhooks.process(`${head}.${forged}.${signature}`).then(
  () => "accepted",
  (error) => error.message,
);
await client.productsV3.deleteProduct(productId);
deliveries.close();
tell(seen);
