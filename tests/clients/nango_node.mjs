// The daily calls of the published client; prints what came of each as one JSON object.
import { Nango } from "@nangohq/node";

const [host, secretKey] = process.argv.slice(2);
const nango = new Nango({ host, secretKey });
const key = "salesforce";
const id = "demo";
const told = {};

const listed = await nango.listConnections();
told.listConnections = listed.connections.map((one) => [one.connection_id, one.provider_config_key, typeof one.created]);
told.byUser = (await nango.listConnections({ userId: "nobody", tags: { plan: "pro" }, limit: 5 })).connections.length;

const connection = await nango.getConnection(key, id);
told.getConnection = [connection.connection_id, connection.credentials.type, connection.connection_config.instance_url];
told.hidden = "refresh_token" in connection.credentials;
told.shown = "refresh_token" in (await nango.getConnection(key, id, true, true)).credentials;
told.getToken = await nango.getToken(key, id);
told.raw = (await nango.getRawTokenResponse(key, id)).token_type;

const query = await nango.get({
    providerConfigKey: key,
    connectionId: id,
    endpoint: "/services/data/v62.0/query",
    params: { q: "SELECT Id, Name FROM Contact LIMIT 2" },
    retries: 2
});
told.proxyGet = [query.status, query.data.totalSize, "sforce-limit-info" in query.headers];

const created = await nango.post({
    providerConfigKey: key,
    connectionId: id,
    endpoint: "services/data/v62.0/sobjects/Contact",
    data: { LastName: "Proxied" },
    headers: { "Sforce-Duplicate-Rule-Header": "allowSave=true" }
});
told.proxyPost = [created.status, created.data.success];
const changed = await nango.patch({
    providerConfigKey: key,
    connectionId: id,
    endpoint: `/services/data/v62.0/sobjects/Contact/${created.data.id}`,
    data: { Title: "Countess" }
});
told.proxyPatch = [changed.status, changed.data];
told.proxyDelete = (
    await nango.delete({ providerConfigKey: key, connectionId: id, endpoint: `/services/data/v62.0/sobjects/Contact/${created.data.id}` })
).status;
told.proxyError = await nango
    .get({ providerConfigKey: key, connectionId: id, endpoint: "/services/data/v62.0/query", params: "q=SELECT Nope FROM Contact" })
    .catch((error) => [error.response.status, error.response.data[0].errorCode]);

const made = await nango.triggerAction(key, id, "create-contact", { last_name: "Triggered" });
told.triggerAction = typeof made.id;
told.actionError = await nango
    .triggerAction(key, id, "create-contact", { last_name: "X", account_id: "nonsense" })
    .catch((error) => [error.response.status, error.response.data.error.code, error.response.data.error.upstream.status]);
told.unknownAction = await nango
    .triggerAction(key, id, "nothing", {})
    .catch((error) => [error.response.status, error.response.data.error.code]);

told.triggerSync = (await nango.triggerSync(key, ["contacts"], id)).data;
let page = { records: [], next_cursor: null };
const ids = new Set();
let pages = 0;
// The server runs syncs by their schedules, too: until the run that was asked for has brought what was made.
while (!ids.has(made.id)) {
    ids.clear();
    pages = 0;
    page = { records: [], next_cursor: null };
    do {
        page = await nango.listRecords({ providerConfigKey: key, connectionId: id, model: "Contact", limit: 40, cursor: page.next_cursor });
        page.records.forEach((record) => ids.add(record.id));
        pages += 1;
    } while (page.next_cursor);
}
told.listRecords = [ids.size, pages, page.records[0]._nango_metadata.last_action];
const one = [...ids][0];
told.byIds = (await nango.listRecords({ providerConfigKey: key, connectionId: id, model: "Contact", ids: [one], filter: "added,updated" })).records.map((record) => record.id === one);
const until = page.records[0]._nango_metadata.cursor;
const pruned = await nango.pruneRecords({ providerConfigKey: key, connectionId: id, model: "Contact", untilCursor: until, limit: 1000 });
const left = (await nango.listRecords({ providerConfigKey: key, connectionId: id, model: "Contact", limit: 1000 })).records;
const emptied = left.filter((record) => record._nango_metadata.pruned_at !== null);
told.pruneRecords = [pruned.count === emptied.length, pruned.has_more, emptied.every((record) => record.last_name === undefined), left.length];
told.full = (await nango.triggerSync(key, ["contacts"], id, "full_refresh")).status;
told.options = (await nango.triggerSync(key, [{ name: "contacts", variant: "base" }], id, { reset: true, emptyCache: false })).status;

told.variant = (await nango.createSyncVariant({ provider_config_key: key, connection_id: id, name: "contacts", variant: "eu" })).variant;
told.twice = await nango
    .createSyncVariant({ provider_config_key: key, connection_id: id, name: "contacts", variant: "eu" })
    .catch((error) => [error.response.status, error.response.data.error.code]);
await nango.triggerSync(key, [{ name: "contacts", variant: "eu" }], id);
const ofVariant = { providerConfigKey: key, connectionId: id, model: "Contact", variant: "eu", limit: 40 };
while ((await nango.listRecords(ofVariant)).records.length === 0);
told.variantRemoved = (await nango.deleteSyncVariant({ provider_config_key: key, connection_id: id, name: "contacts", variant: "eu" })).success;
told.ofNone = (await nango.listRecords(ofVariant)).records.length;

const stranger = new Nango({ host, secretKey: "not-the-key-of-this-server" });
told.wrongKey = await stranger.listConnections().catch((error) => [error.response.status, error.response.data.error.code]);
told.unknownConnection = await nango
    .getConnection(key, "nobody")
    .catch((error) => [error.response.status, error.response.data.error.code]);

console.log(JSON.stringify(told));
