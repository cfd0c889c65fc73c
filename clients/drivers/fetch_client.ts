// Makes calls with openapi-generator's TypeScript client: `node fetch_client.js ADDRESS CALLS`.
import { readFileSync } from "node:fs";
import * as client from "./typescript/index.js";

type Converters = Record<string, (value: unknown) => unknown>;
type Apis = Record<string, new (configuration: client.Configuration) => Record<string, (request: object) => unknown>>;
const converters = client as unknown as Converters;
const apis = client as unknown as Apis;

function content(call: Call): unknown {
  if (!call.body_type) return new Blob([Buffer.from(call.body, "base64")], { type: call.media_type });
  const convert = converters[`${call.body_type}FromJSON`]!;
  const body = JSON.parse(call.body);
  return Array.isArray(body) ? body.map((each) => convert(each)) : convert(body);
}

async function plain(call: Call, value: unknown): Promise<unknown> {
  if (value instanceof Blob) return Buffer.from(await value.arrayBuffer()).toString("base64");
  return converters[`${call.answer_type}ToJSON`]!(value);
}

function camel(name: string): string {
  return (name[0]!.toLowerCase() + name.slice(1)).replace(/[-_](\w)/g, (_, letter) => letter.toUpperCase());
}

// What has to compile: the types of what is read.
export function read(item: client.Item, change: client.Change): [number, number, string | null, object | null] {
  return [item.price, item.stock, item.sku, change.before];
}

interface Call {
  operation: string;
  tag: string;
  given: Record<string, unknown>;
  token: string;
  media_type: string;
  body: string;
  body_type: string;
  answer_type: string;
}

const [address, path] = process.argv.slice(2) as [string, string];
for (const call of JSON.parse(readFileSync(path, "utf8")) as Call[]) {
  const configuration = new client.Configuration({
    basePath: address,
    ...(call.token ? { accessToken: call.token } : {}),
    ...(call.body_type ? {} : { headers: { "Content-Type": call.media_type } }),
  });
  const api = new apis[`${call.tag[0]!.toUpperCase()}${call.tag.slice(1)}Api`]!(configuration);
  const request = Object.fromEntries(Object.entries(call.given).map(([name, value]) => [camel(name), value]));
  if (call.body) request[camel(call.body_type || "body")] = content(call);
  console.log(JSON.stringify(await plain(call, await api[call.operation]!(request))));
}
