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
