"""What an application does with simple-salesforce, unmodified."""

import csv
import datetime
import io
import tempfile

from running import ORG, refused, run
from simple_salesforce import Salesforce, SalesforceLogin
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceOperationError,
    SalesforceResourceNotFound,
)

sf = Salesforce(instance_url=ORG["url"], session_id=ORG["token"], version="62.0")


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def check_login_with_password_and_security_token_over_soap():
    other = Salesforce(
        username=ORG["username"], password=ORG["password"], security_token=ORG["security_token"]
    )
    assert other.query("SELECT count() FROM User")["totalSize"] > 0


def check_login_that_is_refused():
    exc = refused(
        SalesforceAuthenticationFailed,
        lambda: SalesforceLogin(username=ORG["username"], password="wrong", security_token=""),
    )
    assert exc.code == "INVALID_LOGIN"


def check_login_with_password_over_oauth():
    other = Salesforce(
        username=ORG["username"],
        password=ORG["password"],
        consumer_key=ORG["client_id"],
        consumer_secret=ORG["client_secret"],
    )
    assert other.limits()["DailyApiRequests"]


def check_login_with_client_credentials():
    other = Salesforce(consumer_key=ORG["client_id"], consumer_secret=ORG["client_secret"], domain="acme.my")
    assert other.limits()["DailyApiRequests"]


def check_login_with_jwt():
    other = Salesforce(username=ORG["username"], consumer_key=ORG["client_id"], privatekey=ORG["private_key"])
    assert other.limits()["DailyApiRequests"]


def check_session_that_has_ended():
    exc = refused(
        SalesforceExpiredSession,
        lambda: Salesforce(instance_url=ORG["url"], session_id="00Dxx!gone").limits(),
    )
    assert exc.content[0]["errorCode"] == "INVALID_SESSION_ID"


def check_query_page_by_page():
    whole = sf.query_all("SELECT Id, Name, Account.Name FROM Contact")
    assert (whole["totalSize"], whole["done"], len(whole["records"])) == (2500, True, 2500)
    assert len({row["Id"] for row in sf.query_all_iter("SELECT Id FROM Contact")}) == 2500


def check_query_that_is_wrong():
    exc = refused(SalesforceMalformedRequest, lambda: sf.query("SELECT Nope FROM Contact"))
    assert exc.content[0]["errorCode"] == "INVALID_FIELD"


def check_query_of_children_kinds_and_groups():
    found = sf.query("SELECT Name, (SELECT LastName FROM Contacts LIMIT 3) FROM Account LIMIT 5")["records"]
    assert any(account["Contacts"] for account in found)
    kinds = sf.query(
        "SELECT TYPEOF Who WHEN Contact THEN LastName ELSE Name END FROM Task WHERE WhoId != null"
    )
    assert all(task["Who"]["attributes"]["type"] in ("Contact", "Lead") for task in kinds["records"])
    groups = sf.query_all("SELECT StageName, COUNT(Id) n FROM Opportunity GROUP BY ROLLUP(StageName)")[
        "records"
    ]
    assert groups[-1]["n"] == sum(group["n"] for group in groups[:-1]) == 500


def check_search():
    assert sf.search("FIND {Ada*} IN NAME FIELDS RETURNING Contact(Name)")["searchRecords"]
    assert sf.quick_search("Ada")["searchRecords"]
    refused(SalesforceMalformedRequest, lambda: sf.search("FIND {a}"))


def check_calls_of_many_calls():
    record = {"attributes": {"type": "Contact"}, "LastName": "Many"}
    made = sf.restful(
        "composite/sobjects", method="POST", json={"records": [record, {**record, "LastName": ""}]}
    )
    assert [result["success"] for result in made] == [True, False]
    said = sf.restful(
        "composite/batch", method="POST", json={"batchRequests": [{"method": "GET", "url": "v62.0/limits"}]}
    )
    assert said["results"][0]["statusCode"] == 200
    assert sf.restful("recent", params={"limit": 2})


def check_record_from_creation_to_deletion():
    made = sf.Contact.create({"LastName": "O'Neil", "Email": "o@neil.example"})
    assert made["success"]
    assert sf.Contact.get(made["id"])["LastName"] == "O'Neil"
    assert sf.Contact.update(made["id"], {"Title": "Countess"}) == 204
    assert sf.Contact.upsert("External_Id__c/SS-1", {"LastName": "New"}) == 201
    assert sf.Contact.upsert("External_Id__c/SS-1", {"LastName": "Old"}) == 200
    assert sf.Contact.get_by_custom_id("External_Id__c", "SS-1")["LastName"] == "Old"
    assert sf.Contact.delete(made["id"]) == 204
    refused(SalesforceResourceNotFound, lambda: sf.Contact.get(made["id"]))


def check_describe():
    names = {item["name"] for item in sf.describe()["sobjects"]}
    assert {"Account", "Contact", "User"} <= names
    assert {"Id", "LastName"} <= {field["name"] for field in sf.Contact.describe()["fields"]}
    assert sf.Contact.metadata()["objectDescribe"]["name"] == "Contact"


def check_changes_in_a_span_of_time():
    made = sf.Lead.create({"LastName": "x", "Company": "y"})["id"]
    sf.Lead.delete(made)
    now = datetime.datetime.now(datetime.UTC)
    span = (now - datetime.timedelta(hours=1), now + datetime.timedelta(hours=1))
    assert "latestDateCovered" in sf.Lead.updated(*span)
    assert "deletedRecords" in sf.Lead.deleted(*span)


def check_api_usage():
    sf.limits()
    assert sf.api_usage["api-usage"].used > 0


def check_bulk_1_upload():
    people = [{"LastName": f"Bulk {n}", "External_Id__c": f"B1-{n}"} for n in range(5)]
    made = sf.bulk.Contact.insert([*people, {"Title": "nameless"}], batch_size=3)
    assert [result["success"] for result in made] == [True] * 5 + [False]
    assert made[5]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    ids = [result["id"] for result in made[:5]]
    assert all(r["success"] for r in sf.bulk.Contact.update([{"Id": i, "Title": "x"} for i in ids]))
    again = sf.bulk.Contact.upsert([*people, {"LastName": "n", "External_Id__c": "B1-9"}], "External_Id__c")
    assert [result["created"] for result in again] == [False] * 5 + [True]
    assert all(r["success"] for r in sf.bulk.Contact.delete([{"Id": i} for i in ids[:3]]))
    assert all(r["success"] for r in sf.bulk.Contact.hard_delete([{"Id": i} for i in ids[3:]]))
    assert (
        sf.query("SELECT Id FROM Contact WHERE External_Id__c LIKE 'B1-_' AND Title = 'x'")["totalSize"] == 0
    )
    detailed = sf.bulk.Contact.insert([{"LastName": "Told"}], include_detailed_results=True)
    assert detailed[0]["LastName"] == "Told"


def check_bulk_1_query():
    found = sf.bulk.Contact.query("SELECT Id, Birthdate, SystemModstamp, Account.Name FROM Contact LIMIT 700")
    assert len(found) == 700
    assert isinstance(found[0]["SystemModstamp"], int)
    lazily = sf.bulk.Account.query_all("SELECT Id, IsDeleted FROM Account", lazy_operation=True)
    assert len([row for page in lazily for row in page]) == 250
    exc = refused(SalesforceGeneralError, lambda: sf.bulk.Account.query("SELECT Nope FROM Account"))
    assert "INVALID_FIELD" in str(exc)


def check_bulk_2_upload():
    people = [{"LastName": f"Bulk {n}", "External_Id__c": f"B2-{n}"} for n in range(5)]
    told = sf.bulk2.Contact.insert(records=[*people, {"LastName": "", "External_Id__c": "B2-x"}], wait=0)
    assert (told[0]["numberRecordsProcessed"], told[0]["numberRecordsFailed"]) == (6, 1)
    results = sf.bulk2.Contact.get_all_ingest_records(told[0]["job_id"])
    assert [len(results[name]) for name in ("successfulRecords", "failedRecords", "unprocessedRecords")] == [
        5,
        1,
        0,
    ]
    assert results["failedRecords"][0]["sf__Error"].startswith("REQUIRED_FIELD_MISSING:")
    ids = [record["sf__Id"] for record in results["successfulRecords"]]
    changed = sf.bulk2.Contact.update(records=[{"Id": i, "Title": "x"} for i in ids], wait=0)
    assert changed[0]["numberRecordsFailed"] == 0
    upserted = sf.bulk2.Contact.upsert(records=people, external_id_field="External_Id__c", wait=0)
    assert upserted[0]["numberRecordsFailed"] == 0
    assert (
        sf.bulk2.Contact.delete(records=[{"Id": i} for i in ids[:3]], wait=0)[0]["numberRecordsFailed"] == 0
    )
    assert (
        sf.bulk2.Contact.hard_delete(records=[{"Id": i} for i in ids[3:]], wait=0)[0]["numberRecordsFailed"]
        == 0
    )
    in_parts = sf.bulk2.Lead.insert(
        records=[{"LastName": f"P{n}", "Company": "c"} for n in range(10)],
        batch_size=4,
        concurrency=2,
        wait=0,
    )
    assert sorted(part["numberRecordsProcessed"] for part in in_parts) == [2, 4, 4]


def check_bulk_2_query():
    pages = list(sf.bulk2.Contact.query("SELECT Id, Account.Name FROM Contact", max_records=1000, wait=0))
    assert [len(rows(page)) for page in pages][:2] == [1000, 1000]
    assert len({row["Id"] for page in pages for row in rows(page)}) >= 2500
    with tempfile.TemporaryDirectory() as folder:
        files = sf.bulk2.Account.download("SELECT Id, Name FROM Account", folder, wait=0)
        assert sum(file["number_of_records"] for file in files) == 250
    exc = refused(
        SalesforceMalformedRequest, lambda: list(sf.bulk2.Contact.query("SELECT Nope FROM Contact", wait=0))
    )
    assert exc.content[0]["errorCode"] == "INVALID_FIELD"


def check_bulk_2_job_that_fails():
    exc = refused(
        SalesforceOperationError,
        lambda: sf.bulk2.Contact.insert(records=[{"LastName": "x", "Nope": "y"}], wait=0),
    )
    assert "Field name not found : Nope" in str(exc)


run(globals())
