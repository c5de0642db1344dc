// A session of @wix/sdk with @wix/stores on a site whose catalogue is still V1: goods, stock without revisions,
// differences, a webhook of that generation checked by the client.
import { catalogVersioning, inventory, products, productsV3 } from "@wix/stores";
import { tell } from "./loopback.mjs";
import { hook, refusal, site } from "./wix_site.mjs";

const { held, client } = await site({ catalogVersioning, inventory, products, productsV3 });
const seen = {};
seen.version = (await client.catalogVersioning.getCatalogVersion()).catalogVersion;
seen.otherCatalogue = await refusal(client.productsV3.queryProducts().find());

// Goods: made with two variants, changed, listed page by page
const { product } = await client.products.createProduct({
  name: "Kettle",
  productType: "physical",
  priceData: { price: 59.9 },
  visible: true,
  manageVariants: true,
  productOptions: [{ name: "Colour", choices: [{ value: "Blue", description: "Blue" }, { value: "Red", description: "Red" }] }],
});
seen.made = [product.name, product.priceData.price, product.variants.length];
const { variants } = await client.products.updateProductVariants(
  product._id,
  ["Blue", "Red"].map((Colour) => ({ choices: { Colour }, sku: `KETTLE-${Colour.toUpperCase()}` })),
);
seen.variants = variants.map(({ choices, variant }) => [choices.Colour, variant.sku, variant.priceData.price]);
const { product: renamed } = await client.products.updateProduct(product._id, { name: "Kettle 1.7 l" });
seen.renamed = renamed.name;
const names = [];
let page = await client.products.queryProducts().ascending("name").limit(1).find();
names.push(...page.items.map((one) => one.name));
while (page.hasNext()) {
  page = await page.next();
  names.push(...page.items.map((one) => one.name));
}
seen.names = names;
seen.missing = await refusal(client.products.getProduct("00000000-0000-0000-0000-0000000000ff"));

// Stock: set, read, changed by differences
const [blue, red] = variants.map((variant) => variant._id);
await client.inventory.updateInventoryVariants(product._id, {
  trackQuantity: true,
  variants: [
    { variantId: blue, quantity: 12 },
    { variantId: red, quantity: 1 },
  ],
});
const levels = async () => {
  const { inventoryItems } = await client.inventory.queryInventory({
    query: { filter: JSON.stringify({ productId: product._id }), paging: { limit: 10 } },
  });
  return [inventoryItems[0].trackQuantity, ...inventoryItems[0].variants.map((variant) => variant.quantity)];
};
seen.set = await levels();
await client.inventory.decrementInventory([{ productId: product._id, variantId: blue, decrementBy: 2 }]);
await client.inventory.incrementInventory([{ productId: product._id, variantId: red, incrementBy: 3 }]);
seen.changed = await levels();
const { inventoryItems } = await client.inventory.queryInventory({
  query: { filter: JSON.stringify({ productId: product._id }) },
});
const { inventoryItem } = await client.inventory.getInventoryVariants(inventoryItems[0]._id);
seen.read = inventoryItem.variants.map((variant) => [variant.quantity, variant.inStock]);
const { variants: rows } = await client.products.queryStoreVariants({ paging: { limit: 100 } });
seen.storeVariants = rows.map((row) => [row.sku, row.stock.quantity]).sort();

// A webhook of this generation
const deliveries = await hook("com.wix.ecommerce.inventory.api.v1.InventoryVariantsChanged");
client.inventory.onInventoryVariantsChanged((event) => {
  const [{ _id, oldValue, newValue }] = event.data.variants;
  seen.called = [event.data.productId === product._id, _id === blue, oldValue.quantity, newValue.quantity];
});
await client.inventory.decrementInventory([{ productId: product._id, variantId: blue, decrementBy: 1 }]);
const { rawBody, response } = await deliveries.next();
const event = await client.webhooks.process(rawBody);
response.end();
deliveries.close();
seen.event = [event.eventType, event.instanceId === held.instance_id];
tell(seen);
