// What every session needs: the store's address and credentials, a way round the address that a vendor's client has
// built in, and an address of its own that a store can deliver a webhook to.
import { createServer } from "node:http";

export const STORE = process.env.STORE_URL;

export async function credentials() {
  return (await fetch(`${STORE}/_sandbox/credentials`)).json();
}

// `fetch`, but what goes to one of the vendor's hosts goes to the store. The clients insist on https and their own names.
export function rerouted(hosts) {
  const real = globalThis.fetch;
  return (address, options) => {
    const url = new URL(typeof address === "string" ? address : (address.url ?? address.href));
    if (!hosts.test(url.hostname)) return real(address, options);
    return real(`${STORE}${url.pathname}${url.search}`, options);
  };
}

// Listens on a free port. `next()` waits for a delivery, { request, response, rawBody }; who takes it answers it.
export async function listen() {
  const waiting = [];
  const arrived = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const delivery = { request, response, rawBody: Buffer.concat(parts).toString("utf8") };
      const taker = waiting.shift();
      if (taker) taker(delivery);
      else arrived.push(delivery);
    });
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    host: `127.0.0.1:${server.address().port}`,
    next: () => (arrived.length ? Promise.resolve(arrived.shift()) : new Promise((taker) => waiting.push(taker))),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

// One object, the last line of stdout: what the session saw.
export function tell(seen) {
  process.stdout.write(`${JSON.stringify(seen)}\n`);
}
