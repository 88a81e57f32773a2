// What an application does with jsforce, unmodified.
import assert from "node:assert/strict";
import jsforce from "jsforce";

const ORG = JSON.parse(process.env.ORG);
const quiet = { version: "62.0", logLevel: "FATAL" };
const conn = new jsforce.Connection({ ...quiet, instanceUrl: ORG.url, accessToken: ORG.token });
const oauth2 = { clientId: ORG.client_id, clientSecret: ORG.client_secret, loginUrl: ORG.url };

async function rows(stream) {
  const found = [];
  await new Promise((resolve, reject) => stream.on("record", (row) => found.push(row)).on("end", resolve).on("error", reject));
  return found;
}

const checks = {
  async login_and_logout_over_soap() {
    const other = new jsforce.Connection({ ...quiet, loginUrl: ORG.url });
    const user = await other.login(ORG.username, ORG.password + ORG.security_token);
    assert.ok(user.organizationId.startsWith("00D"));
    assert.equal((await other.query("SELECT count() FROM User")).totalSize > 0, true);
    await other.logout();
  },

  async login_that_is_refused() {
    const other = new jsforce.Connection({ ...quiet, loginUrl: ORG.url });
    await assert.rejects(other.login(ORG.username, "wrong"), /INVALID_LOGIN/);
  },

  async login_with_password_over_oauth() {
    const other = new jsforce.Connection({ ...quiet, oauth2 });
    await other.login(ORG.username, ORG.password);
    assert.equal((await other.identity()).username, ORG.username);
  },

  async a_session_that_has_ended_is_renewed() {
    const other = new jsforce.Connection({
      ...quiet, oauth2, instanceUrl: ORG.url, accessToken: "00Dxx!gone", refreshToken: ORG.refresh_token,
    });
    let renewed = false;
    other.on("refresh", () => { renewed = true; });
    assert.equal((await other.query("SELECT Id FROM Contact LIMIT 1")).records.length, 1);
    assert.equal(renewed, true);
  },

  async query_page_by_page() {
    const found = await conn.query("SELECT Id, Account.Name FROM Contact", { autoFetch: true, maxFetch: 5000 });
    assert.equal(found.totalSize, 2500);
    const stream = conn.query("SELECT Id FROM Contact");
    const streamed = rows(stream);
    stream.run({ autoFetch: true, maxFetch: 5000 });
    assert.equal(new Set((await streamed).map((row) => row.Id)).size, 2500);
    let result = await conn.query("SELECT Id FROM Contact");
    let count = result.records.length;
    while (!result.done) {
      result = await conn.queryMore(result.nextRecordsUrl);
      count += result.records.length;
    }
    assert.equal(count, 2500);
  },

  async query_that_is_wrong() {
    await assert.rejects(conn.query("SELECT Nope FROM Contact"), { errorCode: "INVALID_FIELD" });
  },

  async query_built_by_the_client() {
    const found = await conn.sobject("Contact").find({ LastName: { $ne: null } }, ["Id", "LastName"]).limit(5).sort({ LastName: 1 });
    assert.equal(found.length, 5);
  },

  async record_from_creation_to_deletion() {
    const made = await conn.sobject("Contact").create({ LastName: "O'Neil" });
    assert.equal(made.success, true);
    assert.equal((await conn.sobject("Contact").retrieve(made.id)).LastName, "O'Neil");
    await conn.sobject("Contact").update({ Id: made.id, Title: "Countess" });
    const upserted = await conn.sobject("Contact").upsert({ LastName: "New", External_Id__c: "JS-1" }, "External_Id__c");
    assert.equal(upserted.success, true);
    assert.equal((await conn.sobject("Contact").destroy(made.id)).success, true);
    await assert.rejects(conn.sobject("Contact").retrieve(made.id));
  },

  async records_by_the_list() {
    const made = await conn.sobject("Contact").create([{ LastName: "One" }, { Title: "nameless" }, { LastName: "Two" }]);
    assert.deepEqual(made.map((result) => result.success), [true, false, true]);
    assert.equal(made[1].errors[0].statusCode ?? made[1].errors[0].errorCode, "REQUIRED_FIELD_MISSING");
    const ids = [made[0].id, made[2].id];
    const changed = await conn.sobject("Contact").update(ids.map((Id) => ({ Id, Title: "x" })));
    assert.deepEqual(changed.map((result) => result.success), [true, true]);
    const read = await conn.sobject("Contact").retrieve(ids);
    assert.deepEqual(read.map((record) => record.Title), ["x", "x"]);
    const all = await conn.sobject("Contact").create([{ LastName: "Three" }, {}], { allOrNone: true }).catch((error) => error);
    assert.match(JSON.stringify(all), /ROLLED_BACK|REQUIRED_FIELD_MISSING/);
    const upserted = await conn.sobject("Contact").upsert([{ LastName: "x", External_Id__c: "JL-1" }], "External_Id__c");
    assert.equal(upserted[0].success, true);
    assert.deepEqual((await conn.sobject("Contact").destroy(ids)).map((result) => result.success), [true, true]);
  },

  async query_of_children_groups_and_places() {
    const accounts = await conn.sobject("Account").find({}, "Id, Name").include("Contacts").select("Id, LastName").limit(2).end().limit(3);
    assert.ok(accounts.some((account) => account.Contacts?.records.length));
    const groups = await conn.query("SELECT Industry, COUNT(Id) n FROM Account GROUP BY ROLLUP(Industry) ORDER BY COUNT(Id) DESC");
    assert.equal(groups.records[0].n, 250);
    assert.ok((await conn.query("SELECT Id FROM Account WHERE Industry = 'Energy'").explain()).plans[0].cardinality > 0);
    const project = (await conn.query("SELECT Place__c FROM Project__c LIMIT 1")).records[0];
    assert.equal(typeof project.Place__c.latitude, "number");
  },

  async search() {
    const found = await conn.search("FIND {Ada*} IN NAME FIELDS RETURNING Contact(Id, Name), Lead(Id)");
    assert.ok(found.searchRecords.length > 0);
    await assert.rejects(conn.search("FIND {a}"), { errorCode: "MALFORMED_SEARCH" });
  },

  async composite_and_tree() {
    const url = (path) => `/services/data/v62.0${path}`;
    const said = await conn.requestPost(url("/composite"), { allOrNone: true, compositeRequest: [
      { method: "POST", url: url("/sobjects/Account"), referenceId: "acme", body: { Name: "Acme" } },
      { method: "POST", url: url("/sobjects/Contact"), referenceId: "ada", body: { LastName: "Byron", AccountId: "@{acme.id}" } },
      { method: "GET", url: url("/sobjects/Contact/@{ada.id}/Account"), referenceId: "read" },
    ] });
    assert.equal(said.compositeResponse[2].body.Name, "Acme");
    const tree = await conn.requestPost(url("/composite/tree/Account"), { records: [
      { attributes: { type: "Account", referenceId: "a" }, Name: "x", Contacts: { records: [{ attributes: { type: "Contact", referenceId: "c" }, LastName: "y" }] } },
    ] });
    assert.equal(tree.results.length, 2);
  },

  async pages_and_actions() {
    assert.ok((await conn.sobject("Account").layouts()).layouts[0].detailLayoutSections.length > 1);
    assert.equal((await conn.sobject("Account").compactLayouts()).compactLayouts[0].name, "SYSTEM");
    assert.ok((await conn.recent()).length > 0);
    assert.ok((await conn.sobject("Contact").recent()).length > 0);
    const account = (await conn.query("SELECT Id FROM Account LIMIT 1")).records[0].Id;
    const action = conn.sobject("Account").quickAction("NewContact");
    assert.equal((await action.describe()).targetSobjectType, "Contact");
    assert.equal((await action.defaultValues(account)).AccountId, account);
    assert.equal((await action.execute(account, { LastName: "Acted" })).success, true);
    assert.ok((await conn.quickActions()).some((each) => each.name === "NewCase"));
  },

  async what_was_changed_and_deleted() {
    const made = await conn.sobject("Contact").create({ LastName: "Gone" });
    await conn.sobject("Contact").destroy(made.id);
    const [start, end] = [new Date(Date.now() - 3600e3), new Date(Date.now() + 120e3)];
    assert.ok((await conn.sobject("Contact").deleted(start, end)).earliestDateAvailable);
    assert.ok(Array.isArray((await conn.sobject("Contact").updated(start, end)).ids));
  },

  async login_page_and_identity() {
    const oauth = new jsforce.OAuth2({ ...oauth2, redirectUri: "http://localhost:1/callback" });
    const url = oauth.getAuthorizationUrl({ scope: "api id refresh_token", state: "s" });
    const back = await fetch(`${url}&auto_approve=1`, { redirect: "manual" });
    const code = new URL(back.headers.get("location")).searchParams.get("code");
    const other = new jsforce.Connection({ ...quiet, oauth2: oauth });
    const user = await other.authorize(code);
    assert.ok(user.organizationId.startsWith("00D"));
    assert.equal((await other.identity()).username, ORG.username);
    await other.logout(true);
    await assert.rejects(other.query("SELECT Id FROM User"));
  },

  async describe() {
    assert.ok((await conn.describeGlobal()).sobjects.some((item) => item.name === "Contact"));
    assert.ok((await conn.sobject("Contact").describe()).fields.some((field) => field.name === "LastName"));
  },

  async api_usage() {
    await conn.query("SELECT Id FROM Contact LIMIT 1");
    assert.ok(conn.limitInfo.apiUsage.used > 0);
    assert.ok((await conn.limits()).DailyApiRequests.Max > 0);
  },

  async bulk_1_upload() {
    conn.bulk.pollInterval = 10;
    const results = await conn.bulk.load("Contact", "insert", [{ LastName: "One", DoNotCall: true }, { Title: "nameless" }]);
    assert.deepEqual(results.map((result) => result.success), [true, false]);
    assert.match(results[1].errors[0], /^REQUIRED_FIELD_MISSING:/);
    const upserted = await conn.bulk.load("Contact", "upsert", { extIdField: "External_Id__c" }, [{ LastName: "x", External_Id__c: "JB-1" }]);
    assert.deepEqual(upserted.map((result) => result.created), [true]);
    const gone = await conn.bulk.load("Contact", "delete", [{ Id: results[0].id }]);
    assert.deepEqual(gone.map((result) => result.success), [true]);
  },

  async bulk_1_query() {
    assert.equal((await rows(await conn.bulk.query("SELECT Id, Name, Account.Name FROM Contact"))).length >= 2500, true);
    await assert.rejects(conn.bulk.query("SELECT Nope FROM Contact"), /INVALID_FIELD/);
  },

  async bulk_2_upload() {
    const results = await conn.bulk2.loadAndWaitForResults({
      object: "Contact", operation: "insert", pollInterval: 10,
      input: [{ LastName: "One", External_Id__c: "J2-1" }, { LastName: null, External_Id__c: "J2-2" }],
    });
    assert.deepEqual(results.successfulResults.map((row) => row.External_Id__c), ["J2-1"]);
    assert.match(results.failedResults[0].sf__Error, /^REQUIRED_FIELD_MISSING:/);
    assert.deepEqual(results.unprocessedRecords, []);
    const job = conn.bulk2.createJob({ object: "Contact", operation: "delete" });
    await job.open();
    await job.uploadData([{ Id: results.successfulResults[0].sf__Id }]);
    await job.close();
    await job.poll(10, 30000);
    assert.equal((await job.check()).numberRecordsFailed, 0);
    await job.delete();
  },

  async bulk_2_query() {
    const found = await rows(await conn.bulk2.query("SELECT Id, Account.Name FROM Contact", { pollInterval: 10 }));
    assert.equal(new Set(found.map((row) => row.Id)).size >= 2500, true);
    await assert.rejects(conn.bulk2.query("SELECT Nope FROM Contact"), { errorCode: "INVALID_FIELD" });
  },

  async bulk_2_job_that_is_aborted() {
    const job = conn.bulk2.createJob({ object: "Contact", operation: "insert" });
    await job.open();
    await job.uploadData("LastName\nNever\n");
    await job.abort();
    assert.equal((await job.check()).state, "Aborted");
    assert.equal((await conn.query("SELECT Id FROM Contact WHERE LastName = 'Never'")).totalSize, 0);
  },

  async soap_calls() {
    assert.equal((await conn.soap.getUserInfo()).userName, ORG.username);
    const made = await conn.soap.create([{ type: "Lead", LastName: "Soap", Company: "<&>" }, { type: "Lead" }]);
    assert.deepEqual(made.map((result) => result.success), [true, false]);
    await conn.soap.update({ type: "Lead", Id: made[0].id, Title: "x", Email: null });
    assert.equal((await conn.sobject("Lead").retrieve(made[0].id)).Title, "x");
    assert.deepEqual((await conn.soap.delete([made[0].id])).map((result) => result.success), [true]);
    assert.ok((await conn.soap.getServerTimestamp()).timestamp);
  },
};

const told = {};
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    told[name] = "";
  } catch (error) {
    told[name] = String(error?.stack ?? error);
  }
}
console.log(JSON.stringify(told));
process.exit(0);
