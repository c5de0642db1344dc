// A client of @wix/sdk for the pretend site, as an app that is installed there.
import { AppStrategy, createClient } from "@wix/sdk";
import { credentials, listen, rerouted, STORE } from "./loopback.mjs";

export async function site(modules) {
  const held = await credentials();
  globalThis.fetch = rerouted(/^(www|edge)\.wixapis\.com$/); // tokens and calls both go by the global fetch
  const auth = AppStrategy({
    appId: held.app_id,
    appSecret: held.app_secret,
    instanceId: held.instance_id,
    publicKey: held.webhook_public_key,
  });
  return { held, client: createClient({ auth, modules }) };
}

// The code and status that a call is refused with.
export const refusal = (call) =>
  call.then(
    () => "accepted",
    (error) => [error.details?.applicationError?.code ?? error.message, error.status],
  );

// What each item of a bulk call came to.
export const outcomes = ({ results }) =>
  results.map(({ itemMetadata }) => (itemMetadata.success ? "done" : itemMetadata.error.code));

// What a person ticks in the app's dashboard; deliveries come to the address that is returned.
export async function hook(...events) {
  const deliveries = await listen();
  const body = JSON.stringify({ url: `http://${deliveries.host}/hooks`, events });
  await fetch(`${STORE}/_sandbox/webhook_address`, { method: "PUT", body });
  return deliveries;
}
