// Makes calls with openapi-fetch and the types of openapi-typescript: `node openapi_fetch.js ADDRESS CALLS`.
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, operations, paths } from "./storekeeper.js";

// What has to compile: the types of what is read.
export function read(
  item: operations["getItem"]["responses"]["200"]["content"]["application/json"],
  change: components["schemas"]["Change"],
): [number, number, string | null, object | null] {
  return [item.price, item.stock, item.sku, change.before];
}

interface Call {
  method: string;
  template: string;
  places: Record<string, Record<string, unknown>>;
  token: string;
  media_type: string;
  body: string;
  body_type: string;
  answer_media_type: string;
}

type Send = (path: string, options: object) => Promise<{ data?: unknown; error?: unknown }>;

function options(call: Call): object {
  const headers: Record<string, string> = call.token ? { Authorization: `Bearer ${call.token}` } : {};
  const given: Record<string, unknown> = { params: call.places, headers };
  if (call.body && call.body_type) given.body = JSON.parse(call.body);
  if (call.body && !call.body_type) {
    given.body = Buffer.from(call.body, "base64");
    given.bodySerializer = (body: unknown) => body;
    headers["Content-Type"] = call.media_type;
  }
  if (call.answer_media_type.startsWith("image/")) given.parseAs = "arrayBuffer";
  return given;
}

const [address, path] = process.argv.slice(2) as [string, string];
const client = createClient<paths>({ baseUrl: address }) as unknown as Record<string, Send>;
for (const call of JSON.parse(readFileSync(path, "utf8")) as Call[]) {
  const { data, error } = await client[call.method]!(call.template, options(call));
  if (error !== undefined) throw new Error(JSON.stringify(error));
  console.log(JSON.stringify(data instanceof ArrayBuffer ? Buffer.from(data).toString("base64") : data));
}
